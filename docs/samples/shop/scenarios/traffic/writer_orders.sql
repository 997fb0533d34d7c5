-- An order comes in, with one item that is taken from the stock.
-- after: 01_add_orders

begin;

with placed as (
    insert into orders (customer_id, total_cents, placed_at)
    select c.id, 690, now()
    from customers as c
    order by c.id
    limit 1
    returning id
)
insert into order_items (order_id, product_id, quantity, unit_cents)
select o.id, p.id, 1, 690
from placed as o
join products as p on p.sku = 'ASSAM-100';

update products
set in_stock = in_stock - 1
where sku = 'ASSAM-100';

commit;
