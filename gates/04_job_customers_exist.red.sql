-- A job names a customer that does not exist.

alter table "Job" drop constraint "Job_customer_id_fkey";

with customer as (
    insert into "Customer" default values returning id
),
lead as (
    insert into "Lead" (channel, customer_id)
    select
        'sms',
        customer.id
    from customer
    returning id
)
insert into "Job" (lead_id, customer_id, window_start, window_end)
select
    lead.id,
    gen_random_uuid(),
    '2025-11-10 09:00+00',
    '2025-11-10 11:00+00'
from lead;
