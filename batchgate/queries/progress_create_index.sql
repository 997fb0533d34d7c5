-- How far each CREATE INDEX and REINDEX is: sessions waited for, rows, or blocks of the table.
select
    p.pid,
    p.phase,
    case
        when p.phase like 'waiting%' then p.lockers_done
        when p.tuples_total > 0 then p.tuples_done
        else p.blocks_done
    end as done,
    case
        when p.phase like 'waiting%' then p.lockers_total
        when p.tuples_total > 0 then p.tuples_total
        else p.blocks_total
    end as total,
    case
        when p.phase like 'waiting%' then 'session'
        else ''
    end as unit
from pg_catalog.pg_stat_progress_create_index as p
order by p.pid
