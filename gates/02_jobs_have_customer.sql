-- Every job is linked to a customer.
-- title: Job Coverage
-- pass: All jobs linked to customers
-- level: required
-- after: 03_backfill_customers
-- of: "Job"
-- show: id, lead_id, created_at
-- fix: Run sql/03_backfill_customers/migration.sql again; a job takes its lead's customer.

select
    j.id,
    j.lead_id,
    j.created_at
from "Job" as j
where j.customer_id is null
order by
    j.created_at,
    j.id
