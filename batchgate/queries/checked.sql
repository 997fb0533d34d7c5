-- Tables by their names, each with its children and partitions: how many rows it holds as last
-- analyzed (null: not known), and whether it is small enough to be counted. Without a name where
-- rows cannot be told: of views and foreign tables, of catalogs, and where the user may not read
-- any column or would be shown some of the rows. What is known to be large is not locked.
with recursive named as (
    select pg_catalog.to_regclass(t.name)::pg_catalog.oid as oid
    from pg_catalog.unnest(%(tables)s::pg_catalog.text[]) as t (name)
),
member (root, oid) as (
    select
        n.oid,
        n.oid
    from named as n
    union
    select
        m.root,
        i.inhrelid
    from member as m
    join pg_catalog.pg_inherits as i on i.inhparent = m.oid
    where not i.inhdetachpending
),
tree as (
    select
        m.root,
        pg_catalog.bool_and(c.oid >= 16384 and c.relkind in ('r', 'p', 'm')) as is_held,
        -- Up to 2^32 pages of some thousand rows; what is above, somebody made up.
        pg_catalog.bool_and(c.relkind = 'p' or c.reltuples between 0 and 1e13) as is_analyzed,
        pg_catalog.sum(c.reltuples::float8) filter (where c.relkind <> 'p') as analyzed,
        pg_catalog.sum(c.relpages::bigint) as pages
    from member as m
    left join pg_catalog.pg_class as c on c.oid = m.oid
    group by m.root
)
select
    n.nspname,
    c.relname,
    case
        when t.is_analyzed then pg_catalog.round(nullif(t.analyzed, 0)::pg_catalog.numeric)
    end as analyzed,
    case
        when c.oid is null then false
        when t.is_analyzed and t.pages > %(pages)s then false
        else (
            select coalesce(pg_catalog.sum(pg_catalog.pg_relation_size(m.oid)), 0)
                <= %(pages)s * pg_catalog.current_setting('block_size')::bigint
            from member as m
            where m.root = t.root
        )
    end as is_small
from tree as t
left join pg_catalog.pg_class as c on c.oid = t.root
    and t.is_held
    and pg_catalog.has_any_column_privilege(c.oid, 'select')
    and not pg_catalog.row_security_active(c.oid)
left join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
-- A table that is part of another one named here is in it already.
where not exists (
    select
    from member as m
    where m.oid = t.root
        and m.root <> t.root
)
order by t.root
