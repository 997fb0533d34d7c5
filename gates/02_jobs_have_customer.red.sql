-- A job is booked for a linked lead, without its customer.

alter table "Job" alter column customer_id drop not null;

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
insert into "Job" (lead_id, window_start, window_end)
select
    lead.id,
    '2025-11-10 09:00+00',
    '2025-11-10 11:00+00'
from lead;
