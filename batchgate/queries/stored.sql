-- What holds rows or a position: tables, materialized views, sequences; their keys, and columns
-- of which a document does not tell all: json nulls, and values that it spells in its own way.
select
    c.oid::regclass::text as identity,
    c.relkind::text as kind,
    n.nspname as schema,
    c.relname as relation,
    (
        select array_agg(a.attname::text order by k.place)
        from pg_catalog.pg_index as i
        cross join lateral unnest(i.indkey) with ordinality as k (attnum, place)
        join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where i.indrelid = c.oid
            and i.indisprimary
    ) as key,
    (
        select array_agg(a.attname::text order by a.attname)
        from pg_catalog.pg_attribute as a
        where a.attrelid = c.oid
            and a.attnum > 0
            and a.atttypid in ('json'::regtype, 'jsonb'::regtype)
    ) as documents,
    (
        select array_agg(a.attname::text order by a.attname)
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_type as t on t.oid = a.atttypid
        where a.attrelid = c.oid
            and a.attnum > 0
            and (
                t.typcategory in ('A', 'C', 'R')
                or coalesce(nullif(t.typbasetype, 0), t.oid) in (
                    'json'::regtype,
                    'float4'::regtype,
                    'float8'::regtype
                )
            )
    ) as spelled
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where not starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
    and c.relkind in ('r', 'p', 'm', 'S')
    and c.relispopulated
    and not c.relispartition
order by c.oid::regclass::text
