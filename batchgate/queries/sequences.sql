-- Every sequence that a session could advance, for good.
select
    n.nspname,
    c.relname
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'S'
    and c.relpersistence <> 't'
order by n.nspname, c.relname
