-- What a new database still lacks of its template, which CREATE DATABASE copies without what the
-- server keeps of it: settings, owner, privileges, limit, comment and labels.
with pair as (
    select
        source.oid as source,
        target.oid as target,
        source.datdba,
        source.datacl,
        source.datconnlimit
    from pg_catalog.pg_database as source
    cross join pg_catalog.pg_database as target
    where source.datname = %(template)s
        and target.datname = %(name)s
),
settings as (
    insert into pg_catalog.pg_db_role_setting (setdatabase, setrole, setconfig)
    select
        p.target,
        s.setrole,
        s.setconfig
    from pair as p
    join pg_catalog.pg_db_role_setting as s
        on s.setdatabase = p.source
),
comments as (
    insert into pg_catalog.pg_shdescription (objoid, classoid, description)
    select
        p.target,
        d.classoid,
        d.description
    from pair as p
    join pg_catalog.pg_shdescription as d
        on d.objoid = p.source
        and d.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
),
labels as (
    insert into pg_catalog.pg_shseclabel (objoid, classoid, provider, label)
    select
        p.target,
        l.classoid,
        l.provider,
        l.label
    from pair as p
    join pg_catalog.pg_shseclabel as l
        on l.objoid = p.source
        and l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
),
-- By these the server knows which roles the owner and the privileges hold on to.
dependencies as (
    insert into pg_catalog.pg_shdepend (
        dbid, classid, objid, objsubid, refclassid, refobjid, deptype
    )
    select
        d.dbid,
        d.classid,
        p.target,
        d.objsubid,
        d.refclassid,
        d.refobjid,
        d.deptype
    from pair as p
    join pg_catalog.pg_shdepend as d
        on d.objid = p.source
        and d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
        and d.dbid = 0
)
update pg_catalog.pg_database as d
set
    datdba = p.datdba,
    datacl = p.datacl,
    datconnlimit = p.datconnlimit
from pair as p
where d.oid = p.target
    and (d.datdba, d.datconnlimit, d.datacl::text)
        is distinct from (p.datdba, p.datconnlimit, p.datacl::text)
