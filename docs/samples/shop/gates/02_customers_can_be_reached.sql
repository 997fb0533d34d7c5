-- Every customer can be reached by e-mail or telephone.
-- level: required
-- after: 01_add_orders
-- of: customers
-- show: id, joined_on
-- fix: Write a letter and ask; until then no order of theirs is sent.

select
    c.id,
    c.name,
    c.email,
    c.phone,
    c.address,
    c.joined_on
from customers as c
where c.email is null
    and c.phone is null
order by c.id
