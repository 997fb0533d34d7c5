-- What each column of a table holds, whatever the order of its rows, and how often it is empty.
select
    e.key,
    sum(hashtextextended(e.value::text, 0))::text,
    (count(*) filter (where e.value = 'null'))::text
from {table} as t
cross join lateral jsonb_each(to_jsonb(t.*)) as e
group by e.key
