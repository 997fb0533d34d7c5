-- The schemas and relations of users, and what belongs to extensions, for every class to draw on.
with user_schema as materialized (
    select
        n.oid,
        quote_ident(n.nspname) as name
    from pg_catalog.pg_namespace as n
    where not starts_with(n.nspname, 'pg_')
        and n.nspname <> 'information_schema'
),
member as materialized (
    select
        d.classid,
        d.objid
    from pg_catalog.pg_depend as d
    where d.deptype = 'e'
),
relation as materialized (
    select
        c.*,
        c.oid::regclass::text as identity
    from pg_catalog.pg_class as c
    join user_schema as s on s.oid = c.relnamespace
    where ('pg_class'::regclass, c.oid) not in (table member)
)
