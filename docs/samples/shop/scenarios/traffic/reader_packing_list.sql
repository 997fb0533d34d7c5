-- The warehouse reads which orders are next.
-- after: 01_add_orders

select
    o.id,
    o.placed_at,
    i.product_id,
    i.quantity
from orders as o
join order_items as i on i.order_id = o.id
where o.status not in ('sent', 'shipped', 'delivered', 'cancelled', 'returned')
order by
    o.placed_at,
    o.id,
    i.product_id
limit 50;
