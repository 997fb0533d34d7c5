-- A message is written into the youngest conversation, which is then the latest.
-- after: 01_add_memory_entities

begin;

insert into "Message" (conversation_id, role, content)
select
    c.id,
    'user',
    'Are you still there?'
from "Conversation" as c
order by c.started_at desc, c.id
limit 1;

update "Conversation"
set last_message_at = now()
where id = (select c.id from "Conversation" as c order by c.started_at desc, c.id limit 1);

commit;
