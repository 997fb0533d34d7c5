-- Locks of one backend on relations that this session can see, in users' schemas only.
select
    format('%%I.%%I', n.nspname, c.relname),
    c.relkind,
    l.mode,
    bool_or(l.granted)
from pg_catalog.pg_locks as l
join pg_catalog.pg_class as c
    on c.oid = l.relation
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
where l.locktype = 'relation'
    and l.pid = %(pid)s
    and l.database = (
        select d.oid
        from pg_catalog.pg_database as d
        where d.datname = pg_catalog.current_database()
    )
    and not pg_catalog.starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
    and (%(among)s::oid[] is null or c.oid = any (%(among)s::oid[]))
group by
    c.oid,
    n.nspname,
    c.relname,
    c.relkind,
    l.mode
