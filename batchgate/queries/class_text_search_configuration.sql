-- Text search configurations with their mappings.
-- where: exists (select from pg_catalog.pg_ts_config where oid >= 16384)
select
    s.name || '.' || quote_ident(c.cfgname) as identity,
    pg_get_userbyid(c.cfgowner) as "owner",
    p.identity as "parser",
    (
        select array_agg(
            format('%s %s', m.maptokentype, m.mapdict::regdictionary)
            order by m.maptokentype, m.mapseqno
        )
        from pg_catalog.pg_ts_config_map as m
        where m.mapcfg = c.oid
    ) as "mappings"
from pg_catalog.pg_ts_config as c
join user_schema as s on s.oid = c.cfgnamespace
cross join lateral pg_identify_object('pg_ts_parser'::regclass, c.cfgparser, 0) as p
where ('pg_ts_config'::regclass, c.oid) not in (select x.classid, x.objid from member as x)
