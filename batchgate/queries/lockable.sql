-- Tables and materialized views of users' schemas; a partition is locked with its parent.
select
    n.nspname,
    c.relname,
    c.relkind = 'm' as only_read
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm')
    and not c.relispartition
    and c.relpersistence <> 't'
    and not pg_catalog.starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
order by
    n.nspname,
    c.relname
