-- Privileges on configuration parameters.
-- where: exists (select from pg_catalog.pg_parameter_acl)
-- since: 15
select
    p.parname as identity,
    jsonb_build_object('acl', p.paracl::text[]) as attributes
from pg_catalog.pg_parameter_acl as p
