-- Every relation of the users: what it is, the table that it belongs to, and whether it has rows.
select
    c.oid::bigint,
    n.nspname,
    c.relname,
    format('%I.%I', n.nspname, c.relname),
    c.relkind::text,
    format('%I.%I', hn.nspname, h.relname),
    c.relispopulated
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
left join pg_catalog.pg_index as i
    on i.indexrelid = c.oid
join pg_catalog.pg_class as h
    on h.oid = coalesce(i.indrelid, c.oid)
join pg_catalog.pg_namespace as hn
    on hn.oid = h.relnamespace
where c.relkind in ('r', 'p', 'f', 'm', 'v', 'i', 'I', 'S')
    and not pg_catalog.starts_with(n.nspname, 'pg_')
    and n.nspname <> 'information_schema'
order by c.oid
