-- What the application linked, moved and deleted while batch 3 stood.

insert into "Customer" (id, name, phone, created_at, updated_at)
values ('b4000000-0000-4000-8000-000000000001', 'Sam', '5557770002', '2020-02-01', '2020-02-01');

insert into "Lead" (id, channel, customer_id, created_at, updated_at)
values
    ('b1000000-0000-4000-8000-000000000001', 'sms', 'b4000000-0000-4000-8000-000000000001', '2020-02-01', '2020-02-01'),
    ('b1000000-0000-4000-8000-000000000002', 'sms', null, '2020-02-01', '2020-02-01');

update "Lead" set customer_id = 'a4000000-0000-4000-8000-000000000002' where id = 'a1000000-0000-4000-8000-000000000002';

update "Lead" set phone = '5550001111' where id = 'a1000000-0000-4000-8000-000000000001';

update "Job" set customer_id = 'a4000000-0000-4000-8000-000000000002' where id = 'a2000000-0000-4000-8000-000000000001';

update "Customer" set name = 'Rosa R.' where id = 'a4000000-0000-4000-8000-000000000001';

delete from "Lead" where id = 'a1000000-0000-4000-8000-000000000003';
