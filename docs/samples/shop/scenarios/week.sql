-- What one week brings to the shop, in the numbers that scenarios/sample/02.sql gives.

-- What was on its way has arrived, but for some orders that nobody knows anything of.
update orders
set status = 'delivered'
where status in ('placed', 'paid', 'packed', 'shipped')
    and id not in (
        select o.id
        from orders as o
        where o.status in ('placed', 'paid', 'packed')
        order by o.id
        limit :stuck
    );

insert into customers (name, email, phone, address, joined_on)
select
    (array['Gita', 'Hugo', 'Ines', 'Jonas', 'Kemal', 'Lena', 'Milo'])[1 + n % 7]
        || ' '
        || (array['Sato', 'Tamm', 'Ueda', 'Vogel', 'Weiss', 'Young'])[1 + n % 6],
    case when n > :silent then 'customer' || :week || '.' || n || '@example.com' end,
    case when n > :silent and n % 4 = 0 then '+44 20 7946 0' || 200 + n % 700 end,
    n || ' ' || (array['Quay', 'High', 'Church', 'Station', 'Canal', 'Orchard'])[:week] || ' Street',
    date '2025-09-01' + 7 * :week
from generate_series(1, :newcomers) as n
order by n;

-- Some have answered the letter.
update customers
set phone = '+44 20 7946 0' || 900 + id % 100
where id in (
    select c.id
    from customers as c
    where c.email is null
        and c.phone is null
    order by c.id
    limit :answers
);

insert into orders (customer_id, status, total_cents, placed_at)
select
    1 + (7 * n + :week) % 30,
    case when n % 17 = 5 then 'cancelled' else (array['placed', 'paid', 'packed'])[1 + n % 3] end,
    0,
    timestamptz '2025-09-01 09:00+00' + :week * interval '7 days' + n * interval '3 hours'
from generate_series(1, :orders) as n
order by n;

insert into order_items (order_id, product_id, quantity, unit_cents)
select
    o.id,
    p.id,
    1 + o.id % 2,
    p.price_cents
from orders as o
join products as p on p.id in (1 + o.id % 12, 1 + (o.id + 5) % 12)
where o.total_cents = 0
order by
    o.id,
    p.id;

update orders as o
set total_cents = (
    select sum(i.quantity * i.unit_cents)
    from order_items as i
    where i.order_id = o.id
)
where o.total_cents = 0;

insert into baskets (customer_id, product_id, quantity, touched_on)
select
    1 + n % 30,
    1 + (n + :week) % 12,
    1 + n % 3,
    date '2025-09-01' + 7 * :week + n % 7
from generate_series(1, 18) as n
on conflict (customer_id, product_id) do update set touched_on = excluded.touched_on;

-- The shelf is filled, but for some products that did not come.
update products as p
set in_stock = case when p.id <= :short then 1 else 60 + p.id end;
