-- Text search parsers.
-- where: exists (select from pg_catalog.pg_ts_parser where oid >= 16384)
select
    s.name || '.' || quote_ident(p.prsname) as identity,
    jsonb_build_object(
        'start', p.prsstart::text,
        'token', p.prstoken::text,
        'end', p.prsend::text,
        'headline', p.prsheadline::text,
        'token types', p.prslextype::text
    ) as attributes
from pg_catalog.pg_ts_parser as p
join user_schema as s on s.oid = p.prsnamespace
where ('pg_ts_parser'::regclass, p.oid) not in (table member)
