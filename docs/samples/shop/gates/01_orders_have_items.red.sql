delete from order_items where order_id = (select min(id) from orders);
