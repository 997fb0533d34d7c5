-- How far each CLUSTER and VACUUM FULL is: blocks of the old heap, or rows read and written.
select
    p.pid,
    p.phase,
    case p.phase
        when 'seq scanning heap' then p.heap_blks_scanned
        when 'index scanning heap' then p.heap_tuples_scanned
        when 'writing new heap' then p.heap_tuples_written
        else 0
    end as done,
    case p.phase
        when 'seq scanning heap' then p.heap_blks_total
        else 0
    end as total,
    case
        when p.phase in ('index scanning heap', 'writing new heap') then 'row'
        else ''
    end as unit
from pg_catalog.pg_stat_progress_cluster as p
order by p.pid
