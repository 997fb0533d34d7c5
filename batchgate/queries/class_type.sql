-- Types that are neither a relation's row nor the array or multirange of another.
select
    t.oid::regtype::text as identity,
    jsonb_build_object(
        'kind', t.typtype,
        'owner', pg_get_userbyid(t.typowner),
        'acl', coalesce(t.typacl, acldefault('T', t.typowner))::text[],
        'labels', (
            select array_agg(e.enumlabel order by e.enumsortorder)
            from pg_catalog.pg_enum as e
            where e.enumtypid = t.oid
        ),
        'base', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
        'not null', t.typnotnull,
        'default', t.typdefault,
        'collation', nullif(t.typcollation, 0)::regcollation::text,
        'subtype', g.rngsubtype::regtype::text,
        'multirange', g.rngmultitypid::regtype::text,
        'range collation', nullif(g.rngcollation, 0)::regcollation::text,
        'operator class', quote_ident(n.nspname) || '.' || quote_ident(k.opcname),
        'canonical', nullif(g.rngcanonical::oid, 0)::regprocedure::text,
        'difference', nullif(g.rngsubdiff::oid, 0)::regprocedure::text,
        'length', t.typlen,
        'by value', t.typbyval,
        'category', t.typcategory,
        'preferred', t.typispreferred,
        'defined', t.typisdefined,
        'delimiter', t.typdelim,
        'element', nullif(t.typelem, 0)::regtype::text,
        'alignment', t.typalign,
        'storage', t.typstorage,
        'functions', array[
            t.typinput::text,
            t.typoutput::text,
            t.typreceive::text,
            t.typsend::text,
            t.typmodin::text,
            t.typmodout::text,
            t.typanalyze::text,
            t.typsubscript::text
        ]
    ) as attributes
from pg_catalog.pg_type as t
join user_schema as s on s.oid = t.typnamespace
left join pg_catalog.pg_class as c on c.oid = t.typrelid
left join pg_catalog.pg_range as g on g.rngtypid = t.oid
left join pg_catalog.pg_opclass as k on k.oid = g.rngsubopc
left join pg_catalog.pg_namespace as n on n.oid = k.opcnamespace
where ('pg_type'::regclass, t.oid) not in (table member)
    and t.typtype <> 'm'
    and (c.oid is null or c.relkind = 'c')
    and not exists (
        select 1
        from pg_catalog.pg_type as e
        where e.typarray = t.oid
    )
