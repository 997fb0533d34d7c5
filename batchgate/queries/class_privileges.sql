-- Privileges on what the server or an extension brought, where they are not the initial ones; those
-- of the information schema are not noted down.
select
    format('on %s %s', o.type, o.identity) as identity,
    m.acl::text[] as "acl",
    e.extname as "extension"
from (
    select
        'pg_class'::regclass as classid,
        c.oid,
        0 as part,
        c.relacl as acl,
        acldefault((case when c.relkind = 'S' then 's' else 'r' end)::"char", c.relowner) as initial
    from pg_catalog.pg_class as c
    where c.relnamespace is distinct from to_regnamespace('information_schema')
    union all
    select
        'pg_class'::regclass,
        a.attrelid,
        a.attnum,
        a.attacl,
        '{}'
    from pg_catalog.pg_attribute as a
    union all
    select
        'pg_proc'::regclass,
        p.oid,
        0,
        p.proacl,
        acldefault('f', p.proowner)
    from pg_catalog.pg_proc as p
    union all
    select
        'pg_type'::regclass,
        t.oid,
        0,
        t.typacl,
        acldefault('T', t.typowner)
    from pg_catalog.pg_type as t
    union all
    select
        'pg_namespace'::regclass,
        n.oid,
        0,
        n.nspacl,
        acldefault('n', n.nspowner)
    from pg_catalog.pg_namespace as n
    where n.oid not in (select s.oid from user_schema as s)
        and n.nspname <> 'information_schema'
    union all
    select
        'pg_foreign_data_wrapper'::regclass,
        f.oid,
        0,
        f.fdwacl,
        acldefault('F', f.fdwowner)
    from pg_catalog.pg_foreign_data_wrapper as f
    union all
    select
        'pg_foreign_server'::regclass,
        v.oid,
        0,
        v.srvacl,
        acldefault('S', v.srvowner)
    from pg_catalog.pg_foreign_server as v
) as m
left join member as x on x.classid = m.classid and x.objid = m.oid
left join pg_catalog.pg_extension as e on e.oid = x.refobjid
left join pg_catalog.pg_init_privs as i
    on i.classoid = m.classid and i.objoid = m.oid and i.objsubid = m.part
cross join lateral coalesce(i.initprivs, m.initial) as g (initial)
cross join lateral pg_identify_object(m.classid, m.oid, m.part) as o
where m.acl is not null
    and (m.oid < 16384 or e.oid is not null)
    and not (m.acl @> g.initial and g.initial @> m.acl)
