-- Roles of the cluster.
select
    quote_ident(r.rolname) as identity,
    jsonb_build_object(
        'superuser', r.rolsuper,
        'inherits', r.rolinherit,
        'creates roles', r.rolcreaterole,
        'creates databases', r.rolcreatedb,
        'logs in', r.rolcanlogin,
        'replicates', r.rolreplication,
        'bypasses row security', r.rolbypassrls,
        'connection limit', r.rolconnlimit,
        'valid until', r.rolvaliduntil
    ) as attributes
from pg_catalog.pg_roles as r
where not starts_with(r.rolname, 'pg_')
