-- Schemas.
select
    quote_ident(n.nspname) as identity,
    pg_get_userbyid(n.nspowner) as "owner",
    coalesce(n.nspacl, acldefault('n', n.nspowner))::text[] as "acl"
from pg_catalog.pg_namespace as n
join user_schema as s on s.oid = n.oid
where ('pg_namespace'::regclass, n.oid) not in (select x.classid, x.objid from member as x)
