-- What lies in baskets is in stock.
-- level: informational
-- after: 02_add_baskets
-- of: baskets
-- show: sku, in_stock, in_baskets
-- fix: Order more of it, or tell the customers that it is late.

select
    p.sku,
    p.in_stock,
    sum(b.quantity) as in_baskets
from products as p
join baskets as b on b.product_id = p.id
group by p.id
having sum(b.quantity) > p.in_stock
order by p.sku
