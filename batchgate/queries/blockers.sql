-- Who holds the lock that a session waits for, those who began their transaction first at first.
-- A prepared transaction has no process: its number is 0, and the lock tells which it is.
with waiting as (
    select a.pid
    from pg_catalog.pg_stat_activity as a
    where a.pid = %(pid)s
        and a.wait_event_type = 'Lock'
),

blocking as (
    select distinct w.pid
    from waiting
    cross join lateral unnest(pg_catalog.pg_blocking_pids(waiting.pid)) as w (pid)
),

prepared as (
    select
        p.gid,
        p.prepared
    from waiting
    inner join pg_catalog.pg_locks as wanted
        on wanted.pid = waiting.pid and not wanted.granted
    inner join pg_catalog.pg_locks as held
        on held.pid is null
            and held.granted
            and (
                held.locktype, held.database, held.relation, held.page, held.tuple,
                held.virtualxid, held.transactionid, held.classid, held.objid, held.objsubid
            ) is not distinct from (
                wanted.locktype, wanted.database, wanted.relation, wanted.page, wanted.tuple,
                wanted.virtualxid, wanted.transactionid, wanted.classid, wanted.objid,
                wanted.objsubid
            )
    -- By its own number, which it holds as well: by nothing else are its locks known.
    inner join pg_catalog.pg_locks as own
        on own.pid is null
            and own.virtualtransaction = held.virtualtransaction
            and own.locktype = 'transactionid'
    inner join pg_catalog.pg_prepared_xacts as p
        on p.transaction = own.transactionid
    where exists (select from blocking where blocking.pid = 0)
)

select
    blocking.pid,
    coalesce(prepared.gid, b.application_name) as name,
    b.state,
    extract(
        epoch from clock_timestamp() - coalesce(prepared.prepared, b.xact_start)
    )::double precision as seconds
from blocking
left join pg_catalog.pg_stat_activity as b
    on b.pid = blocking.pid
left join prepared
    on blocking.pid = 0
order by
    coalesce(prepared.prepared, b.xact_start),
    blocking.pid,
    name
