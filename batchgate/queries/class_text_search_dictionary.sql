-- Text search dictionaries.
-- where: exists (select from pg_catalog.pg_ts_dict where oid >= 16384)
select
    s.name || '.' || quote_ident(d.dictname) as identity,
    pg_get_userbyid(d.dictowner) as "owner",
    t.identity as "template",
    d.dictinitoption as "options"
from pg_catalog.pg_ts_dict as d
join user_schema as s on s.oid = d.dictnamespace
cross join lateral pg_identify_object('pg_ts_template'::regclass, d.dicttemplate, 0) as t
where ('pg_ts_dict'::regclass, d.oid) not in (select x.classid, x.objid from member as x)
