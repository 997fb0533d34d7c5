-- Extended statistics.
-- where: exists (select from pg_catalog.pg_statistic_ext)
select
    s.name || '.' || quote_ident(x.stxname) as identity,
    x.stxrelid::regclass::text as "table",
    pg_get_statisticsobjdef(x.oid) as "definition",
    nullif(x.stxstattarget, -1) as "target",
    pg_get_userbyid(x.stxowner) as "owner"
from pg_catalog.pg_statistic_ext as x
join user_schema as s on s.oid = x.stxnamespace
where ('pg_statistic_ext'::regclass, x.oid) not in (select x.classid, x.objid from member as x)
