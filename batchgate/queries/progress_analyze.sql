-- How far each ANALYZE is: blocks of its sample, or extended statistics.
select
    p.pid,
    p.phase,
    case
        when p.phase like 'acquiring%' then p.sample_blks_scanned
        when p.phase = 'computing extended statistics' then p.ext_stats_computed
        else 0
    end as done,
    case
        when p.phase like 'acquiring%' then p.sample_blks_total
        when p.phase = 'computing extended statistics' then p.ext_stats_total
        else 0
    end as total,
    '' as unit
from pg_catalog.pg_stat_progress_analyze as p
order by p.pid
