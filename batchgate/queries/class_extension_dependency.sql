-- What falls with an extension though it is none of its members.
-- where: exists (select from pg_catalog.pg_depend where refclassid = 'pg_extension'::regclass and deptype = 'x')
select
    format('%s %s on %I', o.type, o.identity, e.extname) as identity
from pg_catalog.pg_depend as d
join pg_catalog.pg_extension as e on e.oid = d.refobjid
cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) as o
where d.refclassid = 'pg_extension'::regclass
    and d.deptype = 'x'
