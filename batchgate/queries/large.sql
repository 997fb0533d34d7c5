-- Large objects, which belong to no table: how many there are, and a checksum; none, no row.
select
    count(distinct m.oid) as rows,
    sum(hashtextextended(concat_ws(' ', m.oid, o.pageno, encode(o.data, 'hex')), 0))::text
        as checksum
from pg_catalog.pg_largeobject_metadata as m
left join pg_catalog.pg_largeobject as o on o.loid = m.oid
having count(*) > 0
