-- How many rows were written to each table so far: inserted, updated, deleted; partitions count with
-- their whole.
select
    coalesce(pg_partition_root(c.oid), c.oid)::regclass::text,
    sum(
        pg_stat_get_tuples_inserted(c.oid)
        + pg_stat_get_tuples_updated(c.oid)
        + pg_stat_get_tuples_deleted(c.oid)
    )::bigint
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r'
    and c.relpersistence <> 't'
    and not starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
group by 1
