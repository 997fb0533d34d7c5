-- Subscriptions of this database, without their connection strings.
-- where: exists (select from pg_catalog.pg_subscription)
select
    quote_ident(s.subname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(s.subowner),
        'enabled', s.subenabled,
        'binary', s.subbinary,
        'streaming', s.substream,
        'slot', s.subslotname,
        'synchronous commit', s.subsynccommit,
        'publications', s.subpublications
    ) as attributes
from pg_catalog.pg_subscription as s
join pg_catalog.pg_database as d on d.oid = s.subdbid
where d.datname = current_database()
