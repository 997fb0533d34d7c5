-- Types that are neither a relation's row nor the array of another.
select
    t.oid::regtype::text as identity,
    t.typtype as "kind",
    pg_get_userbyid(t.typowner) as "owner",
    coalesce(t.typacl, acldefault('T', t.typowner))::text[] as "acl",
    (
        select array_agg(e.enumlabel order by e.enumsortorder)
        from pg_catalog.pg_enum as e
        where e.enumtypid = t.oid
    ) as "labels",
    case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end as "base",
    t.typnotnull as "not null",
    coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) as "default",
    nullif(t.typcollation, 0)::regcollation::text as "collation",
    g.rngsubtype::regtype::text as "subtype",
    nullif(g.rngmultitypid, 0)::regtype::text as "multirange",
    m.rngtypid::regtype::text as "range",
    nullif(g.rngcollation, 0)::regcollation::text as "range collation",
    (pg_identify_object('pg_opclass'::regclass, g.rngsubopc, 0)).identity as "operator class",
    nullif(g.rngcanonical::oid, 0)::regprocedure::text as "canonical",
    nullif(g.rngsubdiff::oid, 0)::regprocedure::text as "difference",
    t.typlen as "length",
    t.typbyval as "by value",
    t.typcategory as "category",
    t.typispreferred as "preferred",
    t.typisdefined as "defined",
    t.typdelim as "delimiter",
    nullif(t.typelem, 0)::regtype::text as "element",
    t.typalign as "alignment",
    t.typstorage as "storage",
    array[
        t.typinput::text,
        t.typoutput::text,
        t.typreceive::text,
        t.typsend::text,
        t.typmodin::text,
        t.typmodout::text,
        t.typanalyze::text,
        t.typsubscript::text
    ] as "functions"
from pg_catalog.pg_type as t
join user_schema as s on s.oid = t.typnamespace
left join pg_catalog.pg_range as g on g.rngtypid = t.oid
left join pg_catalog.pg_range as m on m.rngmultitypid = t.oid
where t.oid >= 16384
    and ('pg_type'::regclass, t.oid) not in (select x.classid, x.objid from member as x)
    and (
        t.typrelid = 0
        or exists (
            select
            from pg_catalog.pg_class as c
            where c.oid = t.typrelid
                and c.relkind = 'c'
        )
    )
    and (
        t.typelem = 0
        or not exists (
            select
            from pg_catalog.pg_type as e
            where e.oid = t.typelem
                and e.typarray = t.oid
        )
    )
