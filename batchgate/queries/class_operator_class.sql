-- Operator classes.
-- where: exists (select from pg_catalog.pg_opclass where oid >= 16384)
select
    format('%s.%I using %s', s.name, c.opcname, m.amname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(c.opcowner),
        'family', format('%s.%I', f.opfnamespace::regnamespace, f.opfname),
        'input', c.opcintype::regtype::text,
        'default', c.opcdefault,
        'key', nullif(c.opckeytype, 0)::regtype::text
    ) as attributes
from pg_catalog.pg_opclass as c
join user_schema as s on s.oid = c.opcnamespace
join pg_catalog.pg_am as m on m.oid = c.opcmethod
join pg_catalog.pg_opfamily as f on f.oid = c.opcfamily
where ('pg_opclass'::regclass, c.oid) not in (table member)
