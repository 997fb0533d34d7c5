-- Text search templates.
-- where: exists (select from pg_catalog.pg_ts_template where oid >= 16384)
select
    s.name || '.' || quote_ident(t.tmplname) as identity,
    t.tmplinit::text as "initialize",
    t.tmpllexize::text as "look up"
from pg_catalog.pg_ts_template as t
join user_schema as s on s.oid = t.tmplnamespace
where ('pg_ts_template'::regclass, t.oid) not in (select x.classid, x.objid from member as x)
