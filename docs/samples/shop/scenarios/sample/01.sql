-- Twelve teas, the first thirty customers and their first orders. Nobody here is a real person.

insert into products (sku, title, price_cents, in_stock)
values
    ('ASSAM-100', 'Assam, 100 g', 690, 40),
    ('DARJ-100', 'Darjeeling, first flush, 100 g', 1490, 12),
    ('CEYLON-100', 'Ceylon, 100 g', 590, 60),
    ('SENCHA-100', 'Sencha, 100 g', 990, 25),
    ('GYOK-50', 'Gyokuro, 50 g', 1890, 6),
    ('OOLONG-100', 'Oolong, 100 g', 1190, 18),
    ('PUERH-100', 'Pu-erh, 100 g', 1290, 9),
    ('ROOIBOS-200', 'Rooibos, 200 g', 790, 50),
    ('MINT-100', 'Peppermint, 100 g', 490, 70),
    ('CHAI-100', 'Chai, 100 g', 890, 30),
    ('POT-GLASS', 'Glass pot, one litre', 3490, 5),
    ('TIN-200', 'Tin for 200 g', 690, 22);

insert into customers (name, email, phone, address, joined_on)
select
    (array['Ada', 'Bruno', 'Clara', 'Denis', 'Elif', 'Femi'])[1 + n % 6]
        || ' '
        || (array['Nowak', 'Okafor', 'Petit', 'Quist', 'Rossi'])[1 + n % 5],
    'customer' || n || '@example.com',
    case when n % 3 = 0 then '+44 20 7946 0' || 100 + n end,
    n || ' Mill Lane',
    date '2025-06-01' + n
from generate_series(1, 30) as n
order by n;

insert into orders (customer_id, status, total_cents, placed_at)
select
    c.id,
    (array['delivered', 'delivered', 'shipped', 'cancelled', 'delivered', 'returned', 'delivered',
        'paid', 'delivered', 'delivered'])[1 + c.id % 10],
    0,
    timestamptz '2025-07-01 09:00+00' + c.id * interval '31 hours'
from customers as c
order by c.id;

insert into order_items (order_id, product_id, quantity, unit_cents)
select
    o.id,
    p.id,
    1 + o.id % 2,
    p.price_cents
from orders as o
join products as p on p.id in (1 + o.id % 12, 1 + (o.id + 5) % 12)
order by
    o.id,
    p.id;

update orders as o
set total_cents = (
    select sum(i.quantity * i.unit_cents)
    from order_items as i
    where i.order_id = o.id
);
