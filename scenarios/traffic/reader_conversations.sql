-- The latest conversations are opened, each with its newest messages, as of one moment.
-- after: 01_add_memory_entities

begin isolation level repeatable read read only;

select
    c.id,
    c.lead_id,
    c.customer_id,
    c.last_message_at
from "Conversation" as c
order by c.last_message_at desc nulls last, c.id
limit 20;

select
    m.conversation_id,
    m.role,
    m.content,
    m.created_at
from "Message" as m
order by m.created_at desc, m.id
limit 50;

commit;
