-- Operators.
-- where: exists (select from pg_catalog.pg_operator where oid >= 16384)
select
    o.oid::regoperator::text as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(o.oprowner),
        'function', nullif(o.oprcode::oid, 0)::regprocedure::text,
        'result', nullif(o.oprresult, 0)::regtype::text,
        'commutator', nullif(o.oprcom, 0)::regoperator::text,
        'negator', nullif(o.oprnegate, 0)::regoperator::text,
        'restrict', nullif(o.oprrest::oid, 0)::regprocedure::text,
        'join', nullif(o.oprjoin::oid, 0)::regprocedure::text,
        'hashes', o.oprcanhash,
        'merges', o.oprcanmerge
    ) as attributes
from pg_catalog.pg_operator as o
join user_schema as s on s.oid = o.oprnamespace
where ('pg_operator'::regclass, o.oid) not in (table member)
