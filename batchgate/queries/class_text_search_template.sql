-- Text search templates.
-- where: exists (select from pg_catalog.pg_ts_template where oid >= 16384)
select
    s.name || '.' || quote_ident(t.tmplname) as identity,
    jsonb_build_object(
        'initialize', t.tmplinit::text,
        'look up', t.tmpllexize::text
    ) as attributes
from pg_catalog.pg_ts_template as t
join user_schema as s on s.oid = t.tmplnamespace
where ('pg_ts_template'::regclass, t.oid) not in (table member)
