-- Collations.
-- where: exists (select from pg_catalog.pg_collation where oid >= 16384)
select
    format('%s.%I for %s', s.name, c.collname, pg_encoding_to_char(c.collencoding)) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(c.collowner),
        'provider', c.collprovider,
        'deterministic', c.collisdeterministic,
        'collate', c.collcollate,
        'character type', c.collctype,
        'locale', coalesce(
            to_jsonb(c) -> 'colllocale',
            to_jsonb(c) -> 'colliculocale'
        ),
        'rules', to_jsonb(c) -> 'collicurules',
        'version', c.collversion
    ) as attributes
from pg_catalog.pg_collation as c
join user_schema as s on s.oid = c.collnamespace
where ('pg_collation'::regclass, c.oid) not in (table member)
