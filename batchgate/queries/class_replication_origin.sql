-- Replication origins, but for those that subscriptions make.
-- where: exists (select from pg_catalog.pg_replication_origin)
select
    quote_ident(o.roname) as identity
from pg_catalog.pg_replication_origin as o
where not starts_with(o.roname, 'pg_')
