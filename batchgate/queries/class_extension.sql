-- Extensions.
select
    quote_ident(e.extname) as identity,
    e.extversion as "version",
    n.nspname as "schema",
    pg_get_userbyid(e.extowner) as "owner",
    e.extrelocatable as "relocatable",
    e.extconfig::regclass[]::text[] as "configuration",
    e.extcondition as "configuration filters",
    (
        select jsonb_object_agg(m.class, m.members)
        from (
            select
                d.classid::regclass::text as class,
                count(*) as members
            from pg_catalog.pg_depend as d
            where d.refclassid = 'pg_extension'::regclass
                and d.refobjid = e.oid
                and d.deptype = 'e'
            group by d.classid
        ) as m
    ) as "members"
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
