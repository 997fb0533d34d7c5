update refunds set amount_cents = 10000000 where id = (select min(id) from refunds);
