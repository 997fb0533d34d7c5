-- Columns of tables, views and composite types, wherever they stand in their relation.
select
    r.identity || '.' || quote_ident(a.attname) as identity,
    jsonb_build_object(
        'type', format_type(a.atttypid, a.atttypmod),
        'not null', a.attnotnull,
        'default', pg_get_expr(d.adbin, d.adrelid),
        'identity', a.attidentity,
        'generated', a.attgenerated,
        'collation', nullif(a.attcollation, 0)::regcollation::text,
        'storage', a.attstorage,
        'compression', a.attcompression,
        'statistics target', nullif(a.attstattarget, -1),
        'options', (
            select array_agg(o)
            from unnest(a.attoptions) as o
            where not starts_with(o, 'pg_')
        ),
        'foreign options', a.attfdwoptions,
        'acl', coalesce(a.attacl, '{}')::text[],
        'local', a.attislocal,
        'inherited from', a.attinhcount
    ) as attributes
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid
left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
    and a.attnum > 0
    and not a.attisdropped
