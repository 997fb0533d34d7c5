-- A lead writes, and no conversation is opened for it.

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
insert into "Audit" (lead_id, actor, action, payload)
select
    lead.id,
    'customer',
    'message_received',
    '{"text": "Can you take a sofa?"}'
from lead;
