-- Users write and no assistant has ever answered.

delete from "Message" where role = 'assistant';

with conversation as (
    insert into "Conversation" (channel) values ('sms') returning id
)
insert into "Message" (conversation_id, role, content)
select
    conversation.id,
    'user',
    'Is anybody there?'
from conversation;
