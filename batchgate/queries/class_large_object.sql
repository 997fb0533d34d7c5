-- Owners of large objects and the privileges on them; which ones there are is a matter of data.
-- where: exists (select from pg_catalog.pg_largeobject_metadata)
select
    'of ' || quote_ident(pg_get_userbyid(l.lomowner)) as identity,
    array_agg(distinct coalesce(l.lomacl, acldefault('L', l.lomowner))::text) as "acl"
from pg_catalog.pg_largeobject_metadata as l
group by l.lomowner
