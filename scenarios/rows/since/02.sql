-- What the application wrote into the searched table while batch 2 stood.

insert into "Message" (id, conversation_id, role, content, created_at)
values ('b7000000-0000-4000-8000-000000000001', 'a6000000-0000-4000-8000-000000000002', 'user', 'a sofa', '2020-02-01');

update "Message" set role = 'system', content = 'table' where id = 'a7000000-0000-4000-8000-000000000001';
