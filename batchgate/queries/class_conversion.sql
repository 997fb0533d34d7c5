-- Encoding conversions.
-- where: exists (select from pg_catalog.pg_conversion where oid >= 16384)
select
    s.name || '.' || quote_ident(c.conname) as identity,
    pg_get_userbyid(c.conowner) as "owner",
    pg_encoding_to_char(c.conforencoding) as "from",
    pg_encoding_to_char(c.contoencoding) as "to",
    c.conproc::oid::regprocedure::text as "function",
    c.condefault as "default"
from pg_catalog.pg_conversion as c
join user_schema as s on s.oid = c.connamespace
where ('pg_conversion'::regclass, c.oid) not in (select x.classid, x.objid from member as x)
