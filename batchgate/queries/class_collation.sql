-- Collations.
-- where: exists (select from pg_catalog.pg_collation where oid >= 16384)
select
    format('%s.%I for %s', s.name, c.collname, pg_encoding_to_char(c.collencoding)) as identity,
    pg_get_userbyid(c.collowner) as "owner",
    c.collprovider as "provider",
    c.collisdeterministic as "deterministic",
    c.collcollate as "collate",
    c.collctype as "character type",
    c.colliculocale as "locale", -- since: 15, until: 16
    c.colllocale as "locale", -- since: 17
    c.collicurules as "rules", -- since: 16
    c.collversion as "version"
from pg_catalog.pg_collation as c
join user_schema as s on s.oid = c.collnamespace
where ('pg_collation'::regclass, c.oid) not in (select x.classid, x.objid from member as x)
