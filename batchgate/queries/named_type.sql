-- The qualified name of a type that is given as a statement names it.
select format('%%I.%%I', n.nspname, t.typname)
from pg_catalog.pg_type as t
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
where t.oid = to_regtype(%(name)s)
