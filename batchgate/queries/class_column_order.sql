-- The order of columns and the slots that dropped ones leave: seen by select *, copy and row types.
select
    r.identity,
    array_agg(a.attname order by a.attnum) filter (where not a.attisdropped) as "columns",
    count(*) filter (where a.attisdropped) as "dropped slots"
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid
where r.oid >= 16384
    and r.relkind in ('r', 'p', 'f', 'c')
    and not r.is_member
    and a.attnum > 0
group by r.identity
