-- Roles of the cluster.
select
    quote_ident(r.rolname) as identity,
    r.rolsuper as "superuser",
    r.rolinherit as "inherits",
    r.rolcreaterole as "creates roles",
    r.rolcreatedb as "creates databases",
    r.rolcanlogin as "logs in",
    r.rolreplication as "replicates",
    r.rolbypassrls as "bypasses row security",
    r.rolconnlimit as "connection limit",
    r.rolvaliduntil as "valid until"
from pg_catalog.pg_roles as r
where not starts_with(r.rolname, 'pg_')
