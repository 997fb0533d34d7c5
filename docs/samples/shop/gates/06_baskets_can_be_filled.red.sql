update products set in_stock = 0 where id = (select max(product_id) from baskets);
