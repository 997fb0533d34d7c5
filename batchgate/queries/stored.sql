-- What holds rows or a position: tables, materialized views, sequences; their columns by name, and
-- the key that tells rows apart: the primary one, or one that is as good.
select
    c.oid::regclass::text as identity,
    c.relkind::text as kind,
    n.nspname as schema,
    c.relname as relation,
    c.oid::bigint as number,
    coalesce(sign(s.seqincrement), 0)::integer as direction,
    (
        select jsonb_agg(
            jsonb_build_array(
                a.attnum,
                a.attname,
                format_type(a.atttypid, a.atttypmod),
                a.attgenerated <> ''
            )
            order by a.attname collate "C"
        )
        from pg_catalog.pg_attribute as a
        where a.attrelid = c.oid
            and a.attnum > 0
            and not a.attisdropped
            and c.relkind <> 'S'
    ) as columns,
    (
        select i.indkey[0:i.indnkeyatts - 1]
        from pg_catalog.pg_index as i
        where i.indrelid = c.oid
            and i.indisunique
            and i.indisvalid
            and i.indpred is null
            and not exists (
                select
                from generate_series(0, i.indnkeyatts - 1) as place
                left join pg_catalog.pg_attribute as a
                    on a.attrelid = i.indrelid
                    and a.attnum = i.indkey[place]
                    and a.attnotnull
                where a.attnum is null
            )
        order by i.indisprimary desc, i.indnkeyatts, i.indexrelid::regclass::text
        limit 1
    )::smallint[] as key,
    c.relkind = 'r' and h.amname = 'heap' and pg_relation_size(c.oid) = 0 as vacant
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_sequence as s on s.seqrelid = c.oid
left join pg_catalog.pg_am as h on h.oid = c.relam
where not starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
    and c.relkind in ('r', 'p', 'm', 'S')
    and c.relispopulated
    and not c.relispartition
order by c.oid::regclass::text
