update orders set total_cents = total_cents + 1 where id = (select min(id) from orders);
