-- Functions, procedures and aggregates, by signature.
-- where: exists (select from pg_catalog.pg_proc where oid >= 16384)
select
    p.oid::regprocedure::text as identity,
    jsonb_build_object(
        'kind', p.prokind,
        'arguments', pg_get_function_arguments(p.oid),
        'result', pg_get_function_result(p.oid),
        'language', l.lanname,
        'body', p.prosrc,
        'sql body', pg_get_function_sqlbody(p.oid),
        'library', p.probin,
        'volatility', p.provolatile,
        'strict', p.proisstrict,
        'security definer', p.prosecdef,
        'leakproof', p.proleakproof,
        'parallel', p.proparallel,
        'cost', p.procost,
        'rows', p.prorows,
        'settings', p.proconfig,
        'support', nullif(p.prosupport::oid, 0)::regprocedure::text,
        'transforms', p.protrftypes::regtype[]::text[],
        'owner', pg_get_userbyid(p.proowner),
        'acl', coalesce(p.proacl, acldefault('f', p.proowner))::text[]
    ) as attributes
from pg_catalog.pg_proc as p
join user_schema as s on s.oid = p.pronamespace
join pg_catalog.pg_language as l on l.oid = p.prolang
where ('pg_proc'::regclass, p.oid) not in (table member)
