-- What an advice is written from: indexes, constraints and columns that must not be null.
select
    'index' as kind,
    i.indrelid::regclass::text,
    i.indexrelid::regclass::text,
    pg_catalog.pg_get_indexdef(i.indexrelid)
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c
    on c.oid = i.indexrelid
where i.indexrelid >= 16384
union all
select
    'constraint ' || o.contype::text,
    o.conrelid::regclass::text,
    quote_ident(o.conname),
    pg_catalog.pg_get_constraintdef(o.oid)
from pg_catalog.pg_constraint as o
where o.conrelid >= 16384
    and o.contype <> 'n'
union all
select
    'not null',
    a.attrelid::regclass::text,
    quote_ident(a.attname),
    ''
from pg_catalog.pg_attribute as a
where a.attrelid >= 16384
    and a.attnotnull
    and a.attnum > 0
    and not a.attisdropped
order by 1, 2, 3, 4
