-- Operator families with their operators and support functions; of those that the server brought,
-- what users added to them.
-- where: exists (select from pg_catalog.pg_opfamily where oid >= 16384 union all select from pg_catalog.pg_amop where oid >= 16384 union all select from pg_catalog.pg_amproc where oid >= 16384)
select
    format('%s.%I using %I', f.opfnamespace::regnamespace, f.opfname, m.amname) as identity,
    pg_get_userbyid(f.opfowner) as "owner",
    (
        select array_agg(
            concat_ws(
                ' ',
                o.amopstrategy,
                o.amoplefttype::regtype,
                o.amoprighttype::regtype,
                o.amopopr::regoperator,
                o.amoppurpose,
                (pg_identify_object('pg_opfamily'::regclass, o.amopsortfamily, 0)).identity
            )
            order by o.amopstrategy, o.amoplefttype::regtype::text,
                o.amoprighttype::regtype::text, o.amoppurpose
        )
        from pg_catalog.pg_amop as o
        where o.amopfamily = f.oid
            and (s.oid is not null or o.oid >= 16384)
    ) as "operators",
    (
        select array_agg(
            concat_ws(
                ' ',
                p.amprocnum,
                p.amproclefttype::regtype,
                p.amprocrighttype::regtype,
                p.amproc::oid::regprocedure
            )
            order by p.amprocnum, p.amproclefttype::regtype::text,
                p.amprocrighttype::regtype::text
        )
        from pg_catalog.pg_amproc as p
        where p.amprocfamily = f.oid
            and (s.oid is not null or p.oid >= 16384)
    ) as "functions"
from pg_catalog.pg_opfamily as f
left join user_schema as s on s.oid = f.opfnamespace
join pg_catalog.pg_am as m on m.oid = f.opfmethod
where ('pg_opfamily'::regclass, f.oid) not in (select x.classid, x.objid from member as x)
    and (
        s.oid is not null
        or exists (
            select
            from pg_catalog.pg_amop as o
            where o.amopfamily = f.oid
                and o.oid >= 16384
        )
        or exists (
            select
            from pg_catalog.pg_amproc as p
            where p.amprocfamily = f.oid
                and p.oid >= 16384
        )
    )
