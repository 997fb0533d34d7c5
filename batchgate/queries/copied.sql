-- Tables whose rows can be copied, partitions as part of their root: columns, unique keys.
with recursive domain as (
    select
        t.oid,
        t.typbasetype as type,
        t.typtypmod as typmod
    from pg_catalog.pg_type as t
    where t.typtype = 'd'
    union all
    select
        d.oid,
        t.typbasetype,
        case when d.typmod = -1 then t.typtypmod else d.typmod end
    from domain as d
    join pg_catalog.pg_type as t on t.oid = d.type
    where t.typtype = 'd'
),
base as materialized (
    select d.*
    from domain as d
    join pg_catalog.pg_type as t on t.oid = d.type
    where t.typtype <> 'd'
),
stored as materialized (
    select
        c.oid,
        coalesce(pg_catalog.pg_partition_root(c.oid), c.oid) as root
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where not starts_with(n.nspname, 'pg_')
        and n.nspname <> 'information_schema'
        and c.relkind in ('r', 'p')
        and not exists (
            select
            from pg_catalog.pg_depend as d
            where d.classid = 'pg_class'::regclass
                and d.objid = c.oid
                and d.deptype = 'e'
        )
),
key_column as (
    select
        s.root,
        i.indexrelid,
        k.attnum
    from stored as s
    join pg_catalog.pg_index as i on i.indrelid = s.oid
    cross join lateral (
        select i.indkey[place] as attnum
        from generate_series(0, i.indnkeyatts - 1) as place
        where i.indkey[place] <> 0
        union
        select found[1]::smallint
        from regexp_matches(i.indexprs::text, ':varattno (\d+)', 'g') as found
    ) as part
    cross join lateral (
        select part.attnum
        union
        select found[1]::smallint
        from pg_catalog.pg_attrdef as d
        join pg_catalog.pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
        cross join lateral regexp_matches(d.adbin::text, ':varattno (\d+)', 'g') as found
        where d.adrelid = i.indrelid
            and d.adnum = part.attnum
            and a.attgenerated <> ''
    ) as k
    where (i.indisunique or i.indisexclusion)
        and i.indislive
),
unique_key as materialized (
    select
        k.root,
        k.indexrelid,
        array_agg(distinct a.attname::text order by a.attname::text) as columns
    from key_column as k
    join pg_catalog.pg_index as i on i.indexrelid = k.indexrelid
    join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where a.attgenerated = ''
    group by k.root, k.indexrelid
)
select
    c.oid::regclass::text as identity,
    c.relkind::text as kind,
    n.nspname as schema,
    c.relname as relation,
    (
        select
            coalesce(
                jsonb_agg(
                    jsonb_build_array(
                        a.attname,
                        t.typname,
                        coalesce(nullif(b.typmod, -1), a.atttypmod),
                        p.partattrs is not null,
                        a.atthasdef
                    )
                    order by a.attnum
                ),
                '[]'
            )
        from pg_catalog.pg_attribute as a
        left join base as b on b.oid = a.atttypid
        join pg_catalog.pg_type as t on t.oid = coalesce(b.type, a.atttypid)
        left join pg_catalog.pg_partitioned_table as p
            on p.partrelid = a.attrelid
            and a.attnum = any (p.partattrs)
        where a.attrelid = c.oid
            and a.attnum > 0
            and not a.attisdropped
            and a.attgenerated = ''
    ) as columns,
    (
        select coalesce(jsonb_agg(distinct to_jsonb(u.columns)), '[]')
        from unique_key as u
        where u.root = c.oid
    ) as keys,
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_array(
                    a.attname,
                    coalesce(pg_catalog.pg_partition_root(f.confrelid), f.confrelid)::regclass,
                    r.attname,
                    f.conname,
                    f.confdeltype in ('c', 'n', 'd') or f.confupdtype in ('c', 'n', 'd')
                )
                order by f.oid, place
            ),
            '[]'
        )
        from pg_catalog.pg_constraint as f
        cross join lateral generate_subscripts(f.conkey, 1) as place
        join pg_catalog.pg_attribute as a
            on a.attrelid = f.conrelid
            and a.attnum = f.conkey[place]
        join pg_catalog.pg_attribute as r
            on r.attrelid = f.confrelid
            and r.attnum = f.confkey[place]
        where f.conrelid in (select s.oid from stored as s where s.root = c.oid)
            and f.contype = 'f'
            and f.conparentid = 0
    ) as links
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.oid in (select s.root from stored as s)
    and not c.relispartition
order by c.oid::regclass::text
