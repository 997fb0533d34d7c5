-- Privileges on configuration parameters.
-- where: exists (select from pg_catalog.pg_parameter_acl)
-- since: 15
select
    p.parname as identity,
    p.paracl::text[] as "acl"
from pg_catalog.pg_parameter_acl as p
