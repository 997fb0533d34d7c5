-- What a statement of this transaction has read is locked until its end. A query sees pg_class as
-- its snapshot does, the functions see it as it is. A new index hides nothing from anyone.
select l.relation::pg_catalog.regclass::text as relation
from pg_catalog.pg_locks as l
join pg_catalog.pg_database as d on d.oid = l.database
cross join lateral pg_catalog.pg_identify_object(
    'pg_catalog.pg_class'::pg_catalog.regclass,
    l.relation,
    0
) as o
left join pg_catalog.pg_class as c on c.oid = l.relation
where l.pid = pg_catalog.pg_backend_pid()
    and l.locktype = 'relation'
    and d.datname = pg_catalog.current_database()
    and l.relation >= 16384
    and o.type <> 'index'
    and (
        c.oid is null
        or (
            c.relfilenode <> 0
            and c.relfilenode is distinct from pg_catalog.pg_relation_filenode(c.oid)
        )
    )
order by 1
