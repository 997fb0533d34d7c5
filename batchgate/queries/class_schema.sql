-- Schemas.
select
    quote_ident(n.nspname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(n.nspowner),
        'acl', coalesce(n.nspacl, acldefault('n', n.nspowner))::text[]
    ) as attributes
from pg_catalog.pg_namespace as n
join user_schema as s on s.oid = n.oid
where ('pg_namespace'::regclass, n.oid) not in (table member)
