update customers set email = null, phone = null where id = (select min(id) from customers);
