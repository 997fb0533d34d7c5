-- Foreign servers.
-- where: exists (select from pg_catalog.pg_foreign_server)
select
    quote_ident(s.srvname) as identity,
    f.fdwname as "wrapper",
    pg_get_userbyid(s.srvowner) as "owner",
    coalesce(s.srvacl, acldefault('S', s.srvowner))::text[] as "acl",
    s.srvtype as "type",
    s.srvversion as "version",
    s.srvoptions as "options"
from pg_catalog.pg_foreign_server as s
join pg_catalog.pg_foreign_data_wrapper as f on f.oid = s.srvfdw
where ('pg_foreign_server'::regclass, s.oid) not in (select x.classid, x.objid from member as x)
