-- What this session has done to relations, and the files they lie in. The counters of a session
-- are on their way to the shared ones (`shared`) whenever no transaction is open.
select
    c.oid::bigint,
    pg_catalog.pg_stat_get_xact_numscans(c.oid)
        + case when %(shared)s then pg_catalog.pg_stat_get_numscans(c.oid) else 0 end,
    pg_catalog.pg_stat_get_xact_tuples_returned(c.oid)
        + case when %(shared)s then pg_catalog.pg_stat_get_tuples_returned(c.oid) else 0 end,
    pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
        + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
        + case
            when %(shared)s then pg_catalog.pg_stat_get_tuples_inserted(c.oid)
                + pg_catalog.pg_stat_get_tuples_updated(c.oid)
                + pg_catalog.pg_stat_get_tuples_deleted(c.oid)
            else 0
        end,
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid),
    c.relfilenode::bigint,
    c.reltablespace::bigint,
    s.written,
    s.rewrites,
    s.unlocked
from pg_catalog.pg_class as c
cross join (
    select
        (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as written,
        pg_catalog.current_setting('batchgate.rewrites', true) as rewrites,
        pg_catalog.current_setting('batchgate.unlocked', true) as unlocked
) as s
where c.oid = any (%(among)s::oid[])
