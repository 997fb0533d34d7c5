-- Every customer that a job names exists.
-- title: Customer-Job Consistency
-- pass: All job.customer_id valid
-- level: required
-- after: 03_backfill_customers
-- of: "Job"
-- show: id, lead_id, customer_id, created_at
-- fix: Create the missing customer or relink the job, as the README of batch 6 shows.

-- Ids first, each once: both indexes are read in order, which the planner prefers to hashing while
-- they come so, and no job is fetched whose customer exists. As an array, for the planner takes
-- that to be short, where it may think a join to need every job.
select
    j.id,
    j.lead_id,
    j.customer_id,
    j.created_at
from unnest(
    array(
        select n.customer_id
        from (
            select distinct customer_id
            from "Job"
            where customer_id is not null
        ) as n
        where not exists (
            select
            from "Customer" as c
            where c.id = n.customer_id
        )
    )
) as missing (id)
join "Job" as j on j.customer_id = missing.id
order by
    j.created_at,
    j.id
