-- Operators.
-- where: exists (select from pg_catalog.pg_operator where oid >= 16384)
select
    o.oid::regoperator::text as identity,
    pg_get_userbyid(o.oprowner) as "owner",
    nullif(o.oprcode::oid, 0)::regprocedure::text as "function",
    nullif(o.oprresult, 0)::regtype::text as "result",
    nullif(o.oprcom, 0)::regoperator::text as "commutator",
    nullif(o.oprnegate, 0)::regoperator::text as "negator",
    nullif(o.oprrest::oid, 0)::regprocedure::text as "restrict",
    nullif(o.oprjoin::oid, 0)::regprocedure::text as "join",
    o.oprcanhash as "hashes",
    o.oprcanmerge as "merges"
from pg_catalog.pg_operator as o
join user_schema as s on s.oid = o.oprnamespace
where ('pg_operator'::regclass, o.oid) not in (select x.classid, x.objid from member as x)
