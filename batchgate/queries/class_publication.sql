-- Publications and the tables they name.
-- where: exists (select from pg_catalog.pg_publication)
select
    quote_ident(p.pubname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(p.pubowner),
        'all tables', p.puballtables,
        'insert', p.pubinsert,
        'update', p.pubupdate,
        'delete', p.pubdelete,
        'truncate', p.pubtruncate,
        'via root', p.pubviaroot,
        'generated columns', to_jsonb(p) -> 'pubgencols',
        'tables', (
            select array_agg(t.prrelid::regclass::text order by t.prrelid::regclass::text)
            from pg_catalog.pg_publication_rel as t
            where t.prpubid = p.oid
        )
    ) as attributes
from pg_catalog.pg_publication as p
