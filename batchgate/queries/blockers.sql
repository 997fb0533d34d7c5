-- Who holds the lock that a session waits for, those who began their transaction first at first.
select
    b.pid,
    b.application_name,
    b.state,
    extract(epoch from clock_timestamp() - b.xact_start)::double precision as seconds
from pg_catalog.pg_stat_activity as a
cross join lateral unnest(pg_catalog.pg_blocking_pids(a.pid)) as w (pid)
join pg_catalog.pg_stat_activity as b
    on b.pid = w.pid
where a.pid = %(pid)s
    and a.wait_event_type = 'Lock'
order by
    b.xact_start,
    b.pid
