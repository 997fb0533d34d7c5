-- Who waits for a lock: that is no progress, and the reason for none.
select
    a.pid,
    'waiting for a lock' as phase,
    0 as done,
    0 as total,
    '' as unit
from pg_catalog.pg_stat_activity as a
where a.state = 'active' and a.wait_event_type = 'Lock'
order by a.pid
