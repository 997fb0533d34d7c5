-- No order gives back more than it cost.
-- level: required
-- after: 05_add_refunds
-- of: refunds
-- show: order_id, total_cents, refunded_cents
-- fix: Ask the payment provider which of the refunds was a mistake.

select
    r.order_id,
    o.total_cents,
    sum(r.amount_cents) as refunded_cents
from refunds as r
join orders as o on o.id = r.order_id
group by
    r.order_id,
    o.total_cents
having sum(r.amount_cents) > o.total_cents
order by r.order_id
