-- What views and materialized views select.
-- where: exists (select from pg_catalog.pg_rewrite where oid >= 16384)
select
    r.identity,
    pg_get_viewdef(r.oid) as "definition",
    (
        select array_agg(a.attname order by a.attnum)
        from pg_catalog.pg_attribute as a
        where a.attrelid = r.oid
            and a.attnum > 0
    ) as "columns"
from relation as r
where r.relkind in ('v', 'm')
    and not r.is_member
