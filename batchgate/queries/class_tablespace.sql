-- Tablespaces of the cluster.
select
    quote_ident(t.spcname) as identity,
    pg_get_userbyid(t.spcowner) as "owner",
    coalesce(t.spcacl, acldefault('t', t.spcowner))::text[] as "acl",
    t.spcoptions as "options",
    -- One that lies in the server's own folder is named there by its oid.
    nullif(l.path, 'pg_tblspc/' || t.oid) as "location"
from pg_catalog.pg_tablespace as t
cross join lateral pg_tablespace_location(t.oid) as l (path)
