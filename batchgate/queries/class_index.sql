-- Indexes, those of constraints included.
select
    i.identity,
    r.identity as "table",
    pg_get_indexdef(x.indexrelid) as "definition",
    x.indisunique as "unique",
    x.indisprimary as "primary",
    x.indisexclusion as "exclusion",
    x.indimmediate as "immediate",
    x.indisvalid as "valid",
    x.indisready as "ready",
    x.indislive as "live",
    x.indisclustered as "clustered",
    x.indisreplident as "replica identity",
    i.reloptions as "options",
    t.spcname as "tablespace",
    p.inhparent::regclass::text as "parent",
    (
        select jsonb_object_agg(a.attname, to_jsonb(a.attoptions))
        from pg_catalog.pg_attribute as a
        where a.attrelid = i.oid
            and a.attoptions is not null
    ) as "column options",
    (
        select jsonb_object_agg(a.attname, a.attstattarget)
        from pg_catalog.pg_attribute as a
        where a.attrelid = i.oid
            and a.attstattarget <> -1
    ) as "statistics targets"
from pg_catalog.pg_index as x
join relation as i on i.oid = x.indexrelid
join relation as r on r.oid = x.indrelid
left join pg_catalog.pg_tablespace as t on t.oid = i.reltablespace
left join pg_catalog.pg_inherits as p on p.inhrelid = i.oid
