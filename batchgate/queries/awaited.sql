-- The table that a session waits to lock, itself or one of its indexes.
select
    n.nspname,
    t.relname
from pg_catalog.pg_locks as l
left join pg_catalog.pg_index as i
    on i.indexrelid = l.relation
join pg_catalog.pg_class as t
    on t.oid = coalesce(i.indrelid, l.relation)
join pg_catalog.pg_namespace as n
    on n.oid = t.relnamespace
where l.pid = %s
    and l.locktype = 'relation'
    and not l.granted
    and t.relkind in ('r', 'p', 'm')
limit 1
