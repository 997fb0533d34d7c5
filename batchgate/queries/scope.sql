-- The schemas and relations of users, and what belongs to extensions, for every class to draw on.
-- A user's index, trigger, rule, policy or constraint on an extension's table is no member of it.
-- What users make bears an oid of 16384 or above; to say so spares reading what the server brought.
with user_schema as (
    select
        n.oid,
        quote_ident(n.nspname) as name
    from pg_catalog.pg_namespace as n
    where not starts_with(n.nspname, 'pg_')
        and n.nspname <> 'information_schema'
),
member as (
    select
        d.classid,
        d.objid,
        d.refobjid
    from pg_catalog.pg_depend as d
    where d.refclassid = 'pg_extension'::regclass
        and d.deptype = 'e'
),
relation as (
    select
        c.*,
        ('pg_class'::regclass, c.oid) in (select x.classid, x.objid from member as x) as is_member,
        s.name || '.' || quote_ident(c.relname) as identity
    from pg_catalog.pg_class as c
    join user_schema as s on s.oid = c.relnamespace
)
