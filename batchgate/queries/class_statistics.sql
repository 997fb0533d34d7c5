-- Extended statistics.
-- where: exists (select from pg_catalog.pg_statistic_ext)
select
    s.name || '.' || quote_ident(x.stxname) as identity,
    jsonb_build_object(
        'definition', pg_get_statisticsobjdef(x.oid),
        'target', nullif(x.stxstattarget, -1),
        'owner', pg_get_userbyid(x.stxowner)
    ) as attributes
from pg_catalog.pg_statistic_ext as x
join user_schema as s on s.oid = x.stxnamespace
where ('pg_statistic_ext'::regclass, x.oid) not in (table member)
