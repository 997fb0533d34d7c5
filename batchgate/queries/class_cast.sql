-- Casts made by users.
-- where: exists (select from pg_catalog.pg_cast where oid >= 16384)
select
    format('%s as %s', c.castsource::regtype, c.casttarget::regtype) as identity,
    nullif(c.castfunc, 0)::regprocedure::text as "function",
    c.castcontext as "context",
    c.castmethod as "method"
from pg_catalog.pg_cast as c
where c.oid >= 16384
    and ('pg_cast'::regclass, c.oid) not in (select x.classid, x.objid from member as x)
    and not exists (
        select 1
        from pg_catalog.pg_depend as d
        where d.classid = 'pg_cast'::regclass
            and d.objid = c.oid
            and d.deptype = 'i'
    )
