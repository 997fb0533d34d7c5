insert into customers (name, email, address, joined_on)
select upper(c.name), 'twin@example.com', c.address, c.joined_on
from customers as c
where c.id = (select min(id) from customers);
