-- What the application wrote into the indexed tables while batch 5 stood.

insert into "Conversation" (id, channel, started_at)
values ('b6000000-0000-4000-8000-000000000001', 'sms', '2020-02-01');

insert into "Message" (id, conversation_id, role, content, created_at)
values ('b7000000-0000-4000-8000-000000000001', 'b6000000-0000-4000-8000-000000000001', 'user', 'a sofa', '2020-02-01');

delete from "Conversation" where id = 'a6000000-0000-4000-8000-000000000001';
