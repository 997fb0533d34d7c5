-- What the application wrote into the tables of the baseline while batch 1 stood.

insert into "Lead" (id, channel, created_at, updated_at)
values ('b1000000-0000-4000-8000-000000000001', 'sms', '2020-02-01', '2020-02-01');

update "Lead" set name = 'Rosa R.' where id = 'a1000000-0000-4000-8000-000000000001';

delete from "Job" where id = 'a2000000-0000-4000-8000-000000000001';

insert into "Audit" (id, lead_id, actor, action, payload, created_at)
values ('b3000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'user', 'x', '"y"', '2020-02-01');
