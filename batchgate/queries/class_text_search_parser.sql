-- Text search parsers.
-- where: exists (select from pg_catalog.pg_ts_parser where oid >= 16384)
select
    s.name || '.' || quote_ident(p.prsname) as identity,
    p.prsstart::text as "start",
    p.prstoken::text as "token",
    p.prsend::text as "end",
    p.prsheadline::text as "headline",
    p.prslextype::text as "token types"
from pg_catalog.pg_ts_parser as p
join user_schema as s on s.oid = p.prsnamespace
where ('pg_ts_parser'::regclass, p.oid) not in (select x.classid, x.objid from member as x)
