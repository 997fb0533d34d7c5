-- No order stays open for more than two weeks.
-- level: informational
-- after: 04_simplify_order_status
-- of: orders
-- show: id, placed_at, days
-- fix: Ask the warehouse; what cannot be sent is cancelled and the money goes back.

-- As of the latest order, so that the answer does not depend on the day of the run.
select
    o.id,
    o.customer_id,
    o.placed_at,
    latest.on_day - o.placed_at::date as days
from orders as o
cross join (
    select max(placed_at)::date as on_day
    from orders
) as latest
where o.status = 'open'
    and latest.on_day - o.placed_at::date > 14
order by
    o.placed_at,
    o.id
