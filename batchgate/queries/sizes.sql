-- Rows and bytes of tables by their qualified names, a partitioned one with all of its partitions;
-- as far as is known: a table that nobody has counted has no rows to tell. What is estimated low
-- after rows have come is estimated by either count.
select
    t.name,
    case
        when bool_and(p.reltuples >= 0 or w.live > 0 or w.size = 0)
            then sum(greatest(p.reltuples, w.live, 0))::bigint
    end,
    sum(
        case
            when %(exactly)s then pg_catalog.pg_total_relation_size(p.oid)
            else p.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
        end
    )::bigint
from unnest(%(names)s::text[]) as t (name)
join pg_catalog.pg_class as c
    on true
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
    and pg_catalog.format('%%I.%%I', n.nspname, c.relname) = t.name
cross join lateral (
    select c.oid
    union
    select d.relid
    from pg_catalog.pg_partition_tree(c.oid) as d
) as m (oid)
join pg_catalog.pg_class as p
    on p.oid = m.oid
cross join lateral (
    select
        pg_catalog.pg_stat_get_live_tuples(p.oid) as live,
        case
            when p.relkind = 'p' then 0
            when %(exactly)s then pg_catalog.pg_relation_size(p.oid)
        end as size
) as w
group by t.name
order by t.name
