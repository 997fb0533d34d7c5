-- Functions, procedures and aggregates, by signature.
-- where: exists (select from pg_catalog.pg_proc where oid >= 16384)
select
    p.oid::regprocedure::text as identity,
    p.prokind as "kind",
    pg_get_function_arguments(p.oid) as "arguments",
    pg_get_function_result(p.oid) as "result",
    l.lanname as "language",
    p.prosrc as "body",
    pg_get_function_sqlbody(p.oid) as "sql body",
    p.probin as "library",
    p.provolatile as "volatility",
    p.proisstrict as "strict",
    p.prosecdef as "security definer",
    p.proleakproof as "leakproof",
    p.proparallel as "parallel",
    p.procost as "cost",
    p.prorows as "rows",
    p.proconfig as "settings",
    nullif(p.prosupport::oid, 0)::regprocedure::text as "support",
    p.protrftypes::regtype[]::text[] as "transforms",
    pg_get_userbyid(p.proowner) as "owner",
    coalesce(p.proacl, acldefault('f', p.proowner))::text[] as "acl"
from pg_catalog.pg_proc as p
join user_schema as s on s.oid = p.pronamespace
join pg_catalog.pg_language as l on l.oid = p.prolang
where p.oid >= 16384
    and ('pg_proc'::regclass, p.oid) not in (select x.classid, x.objid from member as x)
