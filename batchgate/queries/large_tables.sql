-- Whether any table is of a size or above it: exactly, or as it was last seen.
select coalesce(
    bool_or(
        case
            when %(exactly)s then pg_catalog.pg_table_size(c.oid)
            else c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
        end >= %(bytes)s
    ),
    false
) as any_large
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
where c.relkind in ('r', 'm')
    and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname !~ '^pg_toast|^pg_temp'
