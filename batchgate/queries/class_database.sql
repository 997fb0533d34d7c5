-- This database, whatever its name.
select
    'this database' as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(d.datdba),
        'acl', coalesce(d.datacl, acldefault('d', d.datdba))::text[],
        'connection limit', d.datconnlimit,
        'allows connections', d.datallowconn,
        'template', d.datistemplate,
        'encoding', pg_encoding_to_char(d.encoding),
        'collation', d.datcollate,
        'character type', d.datctype,
        'tablespace', t.spcname
    ) as attributes
from pg_catalog.pg_database as d
join pg_catalog.pg_tablespace as t on t.oid = d.dattablespace
where d.datname = current_database()
