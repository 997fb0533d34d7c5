-- What a statement of this transaction has read is locked until its end.
select coalesce(array_agg(distinct l.relation), '{}') as relations
from pg_catalog.pg_locks as l
join pg_catalog.pg_database as d on d.oid = l.database
where l.pid = pg_catalog.pg_backend_pid()
    and l.locktype = 'relation'
    and d.datname = pg_catalog.current_database()
    and l.relation >= 16384
