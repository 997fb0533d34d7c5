-- Two workers each open a conversation for the same lead.

drop index "Conversation_lead_open_unique";

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
insert into "Conversation" (lead_id, channel)
select
    lead.id,
    'sms'
from lead
cross join generate_series(1, 2) as worker;
