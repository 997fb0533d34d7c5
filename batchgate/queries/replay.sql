-- The server keeps one view of its sessions for a transaction, unless told to forget it.
with forgotten as materialized (
    select pg_catalog.pg_stat_clear_snapshot()
)
select
    coalesce(
        bool_or(a.wait_event in ('RecoveryConflictSnapshot', 'RecoveryConflictTablespace')),
        false
    )
    or exists (
        select
        from pg_catalog.pg_locks as w
        join pg_catalog.pg_locks as h
            on h.locktype = w.locktype
            and h.database is not distinct from w.database
            and h.relation is not distinct from w.relation
        where w.pid = any (array_agg(a.pid))
            and not w.granted
            and h.granted
            and h.pid = any (%s::integer[])
    ) as waits
from forgotten
cross join pg_catalog.pg_stat_activity as a
where a.backend_type = 'startup'
