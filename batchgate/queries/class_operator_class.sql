-- Operator classes.
-- where: exists (select from pg_catalog.pg_opclass where oid >= 16384)
select
    format('%s.%I using %I', s.name, c.opcname, m.amname) as identity,
    pg_get_userbyid(c.opcowner) as "owner",
    format('%s.%I', f.opfnamespace::regnamespace, f.opfname) as "family",
    c.opcintype::regtype::text as "input",
    c.opcdefault as "default",
    nullif(c.opckeytype, 0)::regtype::text as "key"
from pg_catalog.pg_opclass as c
join user_schema as s on s.oid = c.opcnamespace
join pg_catalog.pg_am as m on m.oid = c.opcmethod
join pg_catalog.pg_opfamily as f on f.oid = c.opcfamily
where ('pg_opclass'::regclass, c.oid) not in (select x.classid, x.objid from member as x)
