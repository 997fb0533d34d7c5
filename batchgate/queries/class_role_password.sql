-- Passwords of roles, hashed once more; only superusers may read them.
-- where: has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'select')
select
    quote_ident(a.rolname) as identity,
    encode(sha256(convert_to(a.rolpassword, 'UTF8')), 'hex') as "password hash"
from pg_catalog.pg_authid as a
where not starts_with(a.rolname, 'pg_')
