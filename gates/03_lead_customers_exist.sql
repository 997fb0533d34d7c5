-- Every customer that a lead names exists.
-- title: Customer-Lead Consistency
-- pass: All lead.customer_id valid
-- level: required
-- after: 03_backfill_customers
-- of: "Lead"
-- show: id, customer_id, created_at
-- fix: Create the missing customer or relink the lead, as the README of batch 6 shows.

-- Ids first, each once: both indexes are read in order, which the planner prefers to hashing while
-- they come so, and no lead is fetched whose customer exists. As an array, for the planner takes
-- that to be short, where it may think a join to need every lead.
select
    l.id,
    l.customer_id,
    l.created_at
from unnest(
    array(
        select n.customer_id
        from (
            select distinct customer_id
            from "Lead"
            where customer_id is not null
        ) as n
        where not exists (
            select
            from "Customer" as c
            where c.id = n.customer_id
        )
    )
) as missing (id)
join "Lead" as l on l.customer_id = missing.id
order by
    l.created_at,
    l.id
