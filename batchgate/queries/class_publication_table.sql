-- Rows and columns of a published table that are let through.
-- where: exists (select from pg_catalog.pg_publication_rel)
-- since: 15
select
    format('%s in %I', t.prrelid::regclass, p.pubname) as identity,
    pg_get_expr(t.prqual, t.prrelid) as "filter",
    (
        select array_agg(a.attname order by a.attnum)
        from pg_catalog.pg_attribute as a
        where a.attrelid = t.prrelid
            and a.attnum = any (t.prattrs::smallint[])
    ) as "columns"
from pg_catalog.pg_publication_rel as t
join pg_catalog.pg_publication as p on p.oid = t.prpubid
