-- Every customer that a job names exists.
-- title: Customer-Job Consistency
-- pass: All job.customer_id valid
-- level: required
-- after: 03_backfill_customers
-- of: "Job"
-- show: id, lead_id, customer_id, created_at
-- fix: Create the missing customer or relink the job, as the README of batch 6 shows.

select
    j.id,
    j.lead_id,
    j.customer_id,
    j.created_at
from "Job" as j
where j.customer_id is not null
    and not exists (
        select
        from "Customer" as c
        where c.id = j.customer_id
    )
order by
    j.created_at,
    j.id
