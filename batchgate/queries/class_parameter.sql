-- Privileges on configuration parameters.
-- since: 15
select
    p.parname as identity,
    jsonb_build_object('acl', p.paracl::text[]) as attributes
from pg_catalog.pg_parameter_acl as p
