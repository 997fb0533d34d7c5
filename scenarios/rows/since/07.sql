-- What the application wrote with a customer while batch 7 stood.

insert into "Lead" (id, channel, customer_id, created_at, updated_at)
values ('b1000000-0000-4000-8000-000000000001', 'sms', 'a4000000-0000-4000-8000-000000000002', '2020-02-01', '2020-02-01');

insert into "Job" (id, lead_id, customer_id, window_start, window_end, created_at, updated_at)
values ('b2000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'a4000000-0000-4000-8000-000000000002', '2020-02-02', '2020-02-03', '2020-02-01', '2020-02-01');

delete from "Customer" where id = 'a4000000-0000-4000-8000-000000000003';
