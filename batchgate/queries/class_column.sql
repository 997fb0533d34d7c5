-- Columns of tables, views and composite types, wherever they stand in their relation, and the
-- system's own where privileges are given on them.
select
    r.identity || '.' || quote_ident(a.attname) as identity,
    format_type(a.atttypid, a.atttypmod) as "type",
    a.attnotnull as "not null",
    pg_get_expr(d.adbin, d.adrelid) as "default",
    a.attidentity as "identity",
    a.attgenerated as "generated",
    nullif(a.attcollation, 0)::regcollation::text as "collation",
    a.attstorage as "storage",
    a.attcompression as "compression",
    nullif(a.attstattarget, -1) as "statistics target",
    case
        when a.attoptions is not null then (
            select array_agg(o)
            from unnest(a.attoptions) as o
            where not starts_with(o, 'pg_')
        )
    end as "options",
    a.attfdwoptions as "foreign options",
    nullif(a.attacl, '{}')::text[] as "acl",
    a.attislocal as "local",
    a.attinhcount as "inherited from"
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid
left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where r.oid >= 16384
    and r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
    and not r.is_member
    and (a.attnum > 0 or a.attacl is not null)
    and not a.attisdropped
