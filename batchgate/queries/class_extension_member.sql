-- Privileges on what belongs to an extension, where they are not the initial ones.
select
    o.type || ' ' || o.identity as identity,
    jsonb_build_object('acl', m.acl::text[]) as attributes
from (
    select
        'pg_class'::regclass as classid,
        c.oid,
        c.relacl as acl,
        acldefault((case when c.relkind = 'S' then 's' else 'r' end)::"char", c.relowner) as initial
    from pg_catalog.pg_class as c
    union all
    select
        'pg_proc'::regclass,
        p.oid,
        p.proacl,
        acldefault('f', p.proowner)
    from pg_catalog.pg_proc as p
    union all
    select
        'pg_type'::regclass,
        t.oid,
        t.typacl,
        acldefault('T', t.typowner)
    from pg_catalog.pg_type as t
    union all
    select
        'pg_namespace'::regclass,
        n.oid,
        n.nspacl,
        acldefault('n', n.nspowner)
    from pg_catalog.pg_namespace as n
    union all
    select
        'pg_foreign_data_wrapper'::regclass,
        f.oid,
        f.fdwacl,
        acldefault('F', f.fdwowner)
    from pg_catalog.pg_foreign_data_wrapper as f
) as m
cross join lateral pg_identify_object(m.classid, m.oid, 0) as o
where m.acl is not null
    and not (m.acl @> m.initial and m.initial @> m.acl)
    and (m.classid, m.oid) in (table member)
