-- Every order has an item.
-- level: required
-- after: 01_add_orders
-- of: orders
-- show: id, placed_at
-- fix: Cancel the order, or add what the customer ordered by telephone.

select
    o.id,
    o.customer_id,
    o.placed_at
from orders as o
where not exists (
    select
    from order_items as i
    where i.order_id = o.id
)
order by o.id
