-- Tables, views, sequences, foreign tables and composite types, as wholes.
select
    r.identity,
    case r.relkind
        when 'r' then 'table'
        when 'p' then 'partitioned table'
        when 'v' then 'view'
        when 'm' then 'materialized view'
        when 'f' then 'foreign table'
        when 'S' then 'sequence'
        when 'c' then 'composite type'
    end as "kind",
    pg_get_userbyid(r.relowner) as "owner",
    coalesce(
        r.relacl,
        acldefault((case when r.relkind = 'S' then 's' else 'r' end)::"char", r.relowner)
    )::text[] as "acl",
    r.relpersistence as "persistence",
    m.amname as "access method",
    t.spcname as "tablespace",
    r.reloptions as "options",
    o.reloptions as "toast options",
    r.relrowsecurity as "row security",
    r.relforcerowsecurity as "forced row security",
    r.relreplident as "replica identity",
    nullif(r.reloftype, 0)::regtype::text as "of type",
    coalesce(y.typacl, acldefault('T', r.relowner))::text[] as "row type acl",
    r.relispopulated as "populated"
from relation as r
left join pg_catalog.pg_am as m on m.oid = r.relam
left join pg_catalog.pg_tablespace as t on t.oid = r.reltablespace
left join pg_catalog.pg_class as o on o.oid = r.reltoastrelid
left join pg_catalog.pg_type as y on y.oid = r.reltype
where r.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    and not r.is_member
