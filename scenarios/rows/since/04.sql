-- What the application wrote beside the conversations of batch 4 while it stood.

insert into "Lead" (id, channel, created_at, updated_at)
values ('b1000000-0000-4000-8000-000000000001', 'sms', '2020-02-01', '2020-02-01');

insert into "Conversation" (id, lead_id, channel, external_id, started_at)
values ('b6000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'sms', '5557770003', '2020-02-01');

insert into "Message" (id, conversation_id, role, content, created_at)
values
    ('b7000000-0000-4000-8000-000000000001', 'a6000000-0000-4000-8000-000000000001', 'user', 'a sofa', '2020-02-01'),
    ('b7000000-0000-4000-8000-000000000002', 'b6000000-0000-4000-8000-000000000001', 'user', 'a table', '2020-02-01');

insert into "Audit" (id, lead_id, actor, action, payload, created_at)
values ('b3000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'user', 'chat', '{"text": "since"}', '2020-02-01');

update "Conversation" set last_message_at = '2020-02-01' where id = 'a6000000-0000-4000-8000-000000000001';

delete from "Audit" where id = 'a3000000-0000-4000-8000-000000000002';

delete from "Lead" where id = 'a1000000-0000-4000-8000-000000000003';
