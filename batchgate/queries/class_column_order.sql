-- The order of columns and the slots that dropped ones leave: seen by select *, copy and row types.
select
    r.identity,
    jsonb_build_object(
        'columns', array_agg(a.attname order by a.attnum) filter (where not a.attisdropped),
        'dropped slots', count(*) filter (where a.attisdropped)
    ) as attributes
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid
where r.relkind in ('r', 'p', 'f', 'c')
    and a.attnum > 0
group by r.identity
