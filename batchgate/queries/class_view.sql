-- What views and materialized views select.
-- where: exists (select from pg_catalog.pg_rewrite where oid >= 16384)
select
    r.identity,
    jsonb_build_object(
        'definition', pg_get_viewdef(r.oid),
        'columns', (
            select array_agg(a.attname order by a.attnum)
            from pg_catalog.pg_attribute as a
            where a.attrelid = r.oid
                and a.attnum > 0
        )
    ) as attributes
from relation as r
where r.relkind in ('v', 'm')
