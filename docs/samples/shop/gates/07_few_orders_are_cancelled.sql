-- One order in ten is cancelled at most.
-- title: Orders by status
-- level: informational
-- after: 01_add_orders
-- of: orders
-- show: status, orders, percent, finding
-- fix: Look at what was out of stock when the orders came in.
-- rows: figures

with counted as (
    select
        o.status,
        count(*) as orders,
        round(100.0 * count(*) / sum(count(*)) over (), 1) as percent
    from orders as o
    group by o.status
)
select
    c.status,
    c.orders,
    c.percent,
    case
        when c.status = 'cancelled' and c.percent > 10
            then 'more than one in ten'
    end as finding
from counted as c
order by
    c.orders desc,
    c.status
