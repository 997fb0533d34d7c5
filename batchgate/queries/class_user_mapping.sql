-- User mappings; what they hold may be secret, so it is hashed.
-- where: exists (select from pg_catalog.pg_user_mappings)
select
    format('%I on %I', m.usename, m.srvname) as identity,
    (
        select encode(sha256(convert_to(string_agg(o, ' ' order by o), 'UTF8')), 'hex')
        from unnest(m.umoptions) as o
    ) as "options hash"
from pg_catalog.pg_user_mappings as m
