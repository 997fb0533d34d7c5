-- Access methods made by users.
-- where: exists (select from pg_catalog.pg_am where oid >= 16384)
select
    quote_ident(m.amname) as identity,
    m.amtype as "kind",
    m.amhandler::oid::regprocedure::text as "handler"
from pg_catalog.pg_am as m
where m.oid >= 16384
    and ('pg_am'::regclass, m.oid) not in (select x.classid, x.objid from member as x)
