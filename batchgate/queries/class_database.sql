-- This database, whatever its name.
select
    'this database' as identity,
    pg_get_userbyid(d.datdba) as "owner",
    coalesce(d.datacl, acldefault('d', d.datdba))::text[] as "acl",
    d.datconnlimit as "connection limit",
    d.datallowconn as "allows connections",
    d.datistemplate as "template",
    pg_encoding_to_char(d.encoding) as "encoding",
    d.datcollate as "collation",
    d.datctype as "character type",
    d.datlocprovider as "locale provider", -- since: 15
    d.daticulocale as "locale", -- since: 15, until: 16
    d.datlocale as "locale", -- since: 17
    d.daticurules as "rules", -- since: 16
    d.datcollversion as "collation version", -- since: 15
    t.spcname as "tablespace"
from pg_catalog.pg_database as d
join pg_catalog.pg_tablespace as t on t.oid = d.dattablespace
where d.datname = current_database()
