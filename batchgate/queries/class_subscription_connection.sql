-- Where subscriptions come from, hashed as it may hold a password; only some may read it.
-- where: exists (select from pg_catalog.pg_subscription) and has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'select')
select
    quote_ident(s.subname) as identity,
    encode(sha256(convert_to(s.subconninfo, 'UTF8')), 'hex') as "connection hash"
from pg_catalog.pg_subscription as s
join pg_catalog.pg_database as d on d.oid = s.subdbid
where d.datname = current_database()
