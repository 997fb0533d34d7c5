-- Whether one session waits for another, and how far the index that it builds is.
select
    %(by)s = any (pg_catalog.pg_blocking_pids(%(pid)s)),
    coalesce(
        (select p.phase from pg_catalog.pg_stat_progress_create_index as p where p.pid = %(pid)s),
        ''
    )
