-- Who holds the advisory lock of a key in this database, the one who connected first at first.
select
    a.pid,
    a.application_name,
    to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') as since
from pg_catalog.pg_locks as l
join pg_catalog.pg_stat_activity as a
    on a.pid = l.pid
where l.locktype = 'advisory'
    and l.objsubid = 1
    and l.granted
    and (l.classid::bigint << 32) + l.objid::bigint = %(key)s
    and l.database = (
        select d.oid
        from pg_catalog.pg_database as d
        where d.datname = current_database()
    )
    and a.pid <> pg_catalog.pg_backend_pid()
order by
    a.backend_start,
    a.pid
