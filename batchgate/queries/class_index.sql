-- Indexes, those of constraints included.
select
    i.identity,
    jsonb_build_object(
        'table', r.identity,
        'definition', pg_get_indexdef(x.indexrelid),
        'unique', x.indisunique,
        'primary', x.indisprimary,
        'exclusion', x.indisexclusion,
        'immediate', x.indimmediate,
        'valid', x.indisvalid,
        'ready', x.indisready,
        'live', x.indislive,
        'clustered', x.indisclustered,
        'replica identity', x.indisreplident,
        'options', i.reloptions,
        'tablespace', t.spcname,
        'parent', p.inhparent::regclass::text,
        'column options', (
            select jsonb_object_agg(a.attname, to_jsonb(a.attoptions))
            from pg_catalog.pg_attribute as a
            where a.attrelid = i.oid
                and a.attoptions is not null
        ),
        'statistics targets', (
            select jsonb_object_agg(a.attname, a.attstattarget)
            from pg_catalog.pg_attribute as a
            where a.attrelid = i.oid
                and a.attstattarget <> -1
        )
    ) as attributes
from pg_catalog.pg_index as x
join relation as i on i.oid = x.indexrelid
join relation as r on r.oid = x.indrelid
left join pg_catalog.pg_tablespace as t on t.oid = i.reltablespace
left join pg_catalog.pg_inherits as p on p.inhrelid = i.oid
