-- The total of an order is what its items cost.
-- level: required
-- after: 01_add_orders
-- of: orders, order_items
-- show: id, total_cents, items_cents
-- fix: Look for a discount that was given by hand, and book it as an item of its own.

select
    o.id,
    o.total_cents,
    sum(i.quantity * i.unit_cents) as items_cents
from orders as o
join order_items as i on i.order_id = o.id
group by o.id
having sum(i.quantity * i.unit_cents) <> o.total_cents
order by o.id
