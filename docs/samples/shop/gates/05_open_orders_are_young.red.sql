update orders
set status = 'open', placed_at = placed_at - interval '1 year'
where id = (select min(id) from orders);
