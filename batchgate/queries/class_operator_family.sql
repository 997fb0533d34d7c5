-- Operator families with their operators and support functions.
-- where: exists (select from pg_catalog.pg_opfamily where oid >= 16384)
select
    format('%s.%I using %s', s.name, f.opfname, m.amname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(f.opfowner),
        'operators', (
            select array_agg(
                concat_ws(
                    ' ',
                    o.amopstrategy,
                    o.amopopr::regoperator,
                    o.amoppurpose,
                    (pg_identify_object('pg_opfamily'::regclass, o.amopsortfamily, 0)).identity
                )
                order by o.amopstrategy, o.amopopr::regoperator::text
            )
            from pg_catalog.pg_amop as o
            where o.amopfamily = f.oid
        ),
        'functions', (
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
        )
    ) as attributes
from pg_catalog.pg_opfamily as f
join user_schema as s on s.oid = f.opfnamespace
join pg_catalog.pg_am as m on m.oid = f.opfmethod
where ('pg_opfamily'::regclass, f.oid) not in (table member)
