-- Foreign servers.
-- where: exists (select from pg_catalog.pg_foreign_server)
select
    quote_ident(s.srvname) as identity,
    jsonb_build_object(
        'wrapper', f.fdwname,
        'owner', pg_get_userbyid(s.srvowner),
        'acl', coalesce(s.srvacl, acldefault('S', s.srvowner))::text[],
        'type', s.srvtype,
        'version', s.srvversion,
        'options', s.srvoptions
    ) as attributes
from pg_catalog.pg_foreign_server as s
join pg_catalog.pg_foreign_data_wrapper as f on f.oid = s.srvfdw
where ('pg_foreign_server'::regclass, s.oid) not in (table member)
