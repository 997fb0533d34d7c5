-- A lead's open conversation is closed, a new one opened, and its first message written.
-- after: 05_add_integrity_indexes

begin;

update "Conversation"
set closed_at = now()
where closed_at is null
    and lead_id = (select l.id from "Lead" as l order by l.created_at, l.id limit 1);

insert into "Conversation" (customer_id, lead_id, channel, last_message_at)
select l.customer_id, l.id, l.channel, now()
from "Lead" as l
order by l.created_at, l.id
limit 1;

insert into "Message" (conversation_id, role, content)
select c.id, 'user', 'Hello again.'
from "Conversation" as c
where c.closed_at is null
    and c.lead_id = (select l.id from "Lead" as l order by l.created_at, l.id limit 1);

commit;
