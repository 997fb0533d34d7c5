-- User mappings; what they hold may be secret, so it is hashed.
-- where: exists (select from pg_catalog.pg_user_mapping)
select
    format('%I on %I', m.usename, m.srvname) as identity,
    jsonb_build_object('options hash', md5(m.umoptions::text)) as attributes
from pg_catalog.pg_user_mappings as m
