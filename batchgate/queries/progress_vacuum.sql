-- How far each VACUUM is: blocks of the table, scanned or cleaned.
select
    p.pid,
    p.phase,
    case p.phase
        when 'scanning heap' then p.heap_blks_scanned
        when 'vacuuming heap' then p.heap_blks_vacuumed
        else 0
    end as done,
    case
        when p.phase in ('scanning heap', 'vacuuming heap') then p.heap_blks_total
        else 0
    end as total,
    '' as unit
from pg_catalog.pg_stat_progress_vacuum as p
order by p.pid
