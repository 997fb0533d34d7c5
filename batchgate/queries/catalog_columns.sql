-- The columns of the tables in which this server keeps its catalogs.
select c.relname || '.' || a.attname
from pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where c.relnamespace = 'pg_catalog'::regnamespace
    and c.relkind = 'r'
    and c.oid < 16384
    and a.attnum > 0
    and not a.attisdropped
