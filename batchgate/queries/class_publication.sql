-- Publications and the tables they name.
-- where: exists (select from pg_catalog.pg_publication)
select
    quote_ident(p.pubname) as identity,
    pg_get_userbyid(p.pubowner) as "owner",
    p.puballtables as "all tables",
    p.pubinsert as "insert",
    p.pubupdate as "update",
    p.pubdelete as "delete",
    p.pubtruncate as "truncate",
    p.pubviaroot as "via root",
    p.pubgencols as "generated columns", -- since: 18
    (
        select array_agg(t.prrelid::regclass::text order by t.prrelid::regclass::text)
        from pg_catalog.pg_publication_rel as t
        where t.prpubid = p.oid
    ) as "tables"
from pg_catalog.pg_publication as p
