-- Every lead is linked to a customer.
-- title: Lead Coverage
-- pass: All leads linked to customers
-- level: required
-- after: 03_backfill_customers
-- of: "Lead"
-- show: id, created_at
-- fix: Run sql/03_backfill_customers/migration.sql again; it links what is new.

select
    l.id,
    l.name,
    l.phone,
    l.created_at
from "Lead" as l
where l.customer_id is null
order by
    l.created_at,
    l.id
