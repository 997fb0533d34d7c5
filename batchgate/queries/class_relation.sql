-- Tables, views, sequences, foreign tables and composite types, as wholes.
select
    r.identity,
    jsonb_build_object(
        'kind', case r.relkind
            when 'r' then 'table'
            when 'p' then 'partitioned table'
            when 'v' then 'view'
            when 'm' then 'materialized view'
            when 'f' then 'foreign table'
            when 'S' then 'sequence'
            when 'c' then 'composite type'
        end,
        'owner', pg_get_userbyid(r.relowner),
        'acl', coalesce(
            r.relacl,
            acldefault((case when r.relkind = 'S' then 's' else 'r' end)::"char", r.relowner)
        )::text[],
        'persistence', r.relpersistence,
        'access method', m.amname,
        'tablespace', t.spcname,
        'options', r.reloptions,
        'toast options', o.reloptions,
        'row security', r.relrowsecurity,
        'forced row security', r.relforcerowsecurity,
        'replica identity', r.relreplident,
        'of type', nullif(r.reloftype, 0)::regtype::text,
        'populated', r.relispopulated
    ) as attributes
from relation as r
left join pg_catalog.pg_am as m on m.oid = r.relam
left join pg_catalog.pg_tablespace as t on t.oid = r.reltablespace
left join pg_catalog.pg_class as o on o.oid = r.reltoastrelid
where r.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
