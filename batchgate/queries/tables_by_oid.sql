-- The names that tables bear now, which a file may have changed since it began.
select
    n.nspname,
    c.relname,
    format('%%I.%%I', n.nspname, c.relname)
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
where c.oid = any (%(among)s::oid[])
    and c.relkind in ('r', 'p')
order by c.oid
