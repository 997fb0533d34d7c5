-- No two customers are the same person.
-- level: required
-- after: 01_add_orders
-- of: customers
-- show: id, twin_id
-- fix: Give the orders of the younger entry to the older one, and delete it.

select
    c.id,
    t.id as twin_id,
    c.name,
    c.address
from customers as c
join customers as t
    on t.id > c.id
    and t.name ~* ('^\W*' || regexp_replace(c.name, '\W+', '\W+', 'g') || '\W*$')
    and t.address ~* ('^\W*' || regexp_replace(c.address, '\W+', '\W+', 'g') || '\W*$')
order by
    c.id,
    t.id
