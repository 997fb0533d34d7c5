-- How far each COPY is: rows, since of how many only a file of the server's would tell.
select
    p.pid,
    'copying' as phase,
    p.tuples_processed as done,
    0 as total,
    'row' as unit
from pg_catalog.pg_stat_progress_copy as p
order by p.pid
