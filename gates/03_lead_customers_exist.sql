-- Every customer that a lead names exists.
-- title: Customer-Lead Consistency
-- pass: All lead.customer_id valid
-- level: required
-- after: 03_backfill_customers
-- of: "Lead"
-- show: id, customer_id, created_at
-- fix: Create the missing customer or relink the lead, as the README of batch 6 shows.

select
    l.id,
    l.customer_id,
    l.created_at
from "Lead" as l
where l.customer_id is not null
    and not exists (
        select
        from "Customer" as c
        where c.id = l.customer_id
    )
order by
    l.created_at,
    l.id
