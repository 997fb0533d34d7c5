-- The schema and the name of a relation that is given as one qualified name.
select
    n.nspname::text,
    c.relname::text
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.oid = to_regclass(%(name)s)
