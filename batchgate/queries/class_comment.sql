-- Comments on everything of the users, on this database, and on what the cluster shares.
select
    o.type || ' ' || o.identity as identity,
    d.description as "text"
from pg_catalog.pg_description as d
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as o
where (d.classoid, d.objoid) not in (select x.classid, x.objid from member as x)
    and (
        d.objoid >= 16384
        or d.classoid in (
            'pg_namespace'::regclass,
            'pg_extension'::regclass,
            'pg_largeobject'::regclass
        )
    )
union all
select
    case
        when d.classoid = 'pg_database'::regclass then 'this database'
        else o.type || ' ' || o.identity
    end,
    d.description
from pg_catalog.pg_shdescription as d
cross join lateral pg_identify_object(d.classoid, d.objoid, 0) as o
left join pg_catalog.pg_database as b
    on d.classoid = 'pg_database'::regclass and b.oid = d.objoid
where b.oid is null
    or b.datname = current_database()
