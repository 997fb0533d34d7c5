-- Encoding conversions.
-- where: exists (select from pg_catalog.pg_conversion where oid >= 16384)
select
    s.name || '.' || quote_ident(c.conname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(c.conowner),
        'from', pg_encoding_to_char(c.conforencoding),
        'to', pg_encoding_to_char(c.contoencoding),
        'function', c.conproc::oid::regprocedure::text,
        'default', c.condefault
    ) as attributes
from pg_catalog.pg_conversion as c
join user_schema as s on s.oid = c.connamespace
where ('pg_conversion'::regclass, c.oid) not in (table member)
