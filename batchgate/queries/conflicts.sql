with forgotten as materialized (
    select pg_catalog.pg_stat_clear_snapshot()
)
select d.conflicts
from forgotten
cross join pg_catalog.pg_stat_database as d
where d.datname = pg_catalog.current_database()
