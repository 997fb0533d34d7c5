-- Large objects, which belong to no table: how many there are, and a checksum; none, no row.
select
    count(distinct o.loid) as rows,
    sum(hashtextextended(concat_ws(' ', o.loid, o.pageno, encode(o.data, 'hex')), 0))::text
        as checksum
from pg_catalog.pg_largeobject as o
having count(*) > 0
