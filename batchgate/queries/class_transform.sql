-- Transforms between types and languages.
-- where: exists (select from pg_catalog.pg_transform)
select
    format('%s for %I', t.trftype::regtype, l.lanname) as identity,
    nullif(t.trffromsql::oid, 0)::regprocedure::text as "from sql",
    nullif(t.trftosql::oid, 0)::regprocedure::text as "to sql"
from pg_catalog.pg_transform as t
join pg_catalog.pg_language as l on l.oid = t.trflang
where ('pg_transform'::regclass, t.oid) not in (select x.classid, x.objid from member as x)
