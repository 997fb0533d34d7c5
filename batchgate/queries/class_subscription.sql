-- Subscriptions of this database, but for their connection strings.
-- where: exists (select from pg_catalog.pg_subscription)
select
    quote_ident(s.subname) as identity,
    pg_get_userbyid(s.subowner) as "owner",
    s.subenabled as "enabled",
    s.subbinary as "binary",
    s.substream as "streaming",
    s.subslotname as "slot",
    s.subtwophasestate as "two-phase", -- since: 15
    s.subdisableonerr as "disable on error", -- since: 15
    s.subskiplsn::text as "skip", -- since: 15
    s.subpasswordrequired as "password required", -- since: 16
    s.subrunasowner as "run as owner", -- since: 16
    s.suborigin as "origin", -- since: 16
    s.subfailover as "failover", -- since: 17
    (
        select array_agg(t.srrelid::regclass::text order by t.srrelid::regclass::text)
        from pg_catalog.pg_subscription_rel as t
        where t.srsubid = s.oid
    ) as "tables",
    s.subsynccommit as "synchronous commit",
    s.subpublications as "publications"
from pg_catalog.pg_subscription as s
join pg_catalog.pg_database as d on d.oid = s.subdbid
where d.datname = current_database()
