-- Every customer that a job names exists.
-- title: Customer-Job Consistency
-- pass: All job.customer_id valid
-- level: required
-- after: 03_backfill_customers
-- of: "Job"
-- show: id, lead_id, customer_id, created_at
-- fix: Create the missing customer or relink the job, as the README of batch 6 shows.

-- Ids first: both indexes are read in order, and no job is fetched whose customer exists. As an
-- array, for the planner takes that to be short, where it may think a join to need every job.
select
    j.id,
    j.lead_id,
    j.customer_id,
    j.created_at
from unnest(
    array(
        select distinct n.customer_id
        from "Job" as n
        where n.customer_id is not null
            and not exists (
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
