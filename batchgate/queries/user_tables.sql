-- Tables that another session can lock and write to, by schema and name.
select
    n.nspname,
    c.relname
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
    and not pg_catalog.starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
order by
    n.nspname,
    c.relname
