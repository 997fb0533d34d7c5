-- Casts made by users.
-- where: exists (select from pg_catalog.pg_cast where oid >= 16384)
select
    format('%s as %s', c.castsource::regtype, c.casttarget::regtype) as identity,
    jsonb_build_object(
        'function', nullif(c.castfunc, 0)::regprocedure::text,
        'context', c.castcontext,
        'method', c.castmethod
    ) as attributes
from pg_catalog.pg_cast as c
where c.oid >= 16384
    and ('pg_cast'::regclass, c.oid) not in (table member)
    and not exists (
        select 1
        from pg_catalog.pg_depend as d
        where d.classid = 'pg_cast'::regclass
            and d.objid = c.oid
            and d.deptype = 'i'
    )
