-- What the application wrote into the new tables before batch 2, looking like a backfill's work.

insert into "Customer" (id, name, phone, metadata, created_at, updated_at)
values
    ('a4000000-0000-4000-8000-000000000001', 'Rosa', '+1 555 777 0001', '{"vip": null}', '2020-01-01', '2020-01-01'),
    ('a4000000-0000-4000-8000-000000000002', null, null, '[]', '2020-01-01', '2020-01-01'),
    ('a4000000-0000-4000-8000-000000000003', null, null, '{"groupType": "psid", "groupKey": "psid:9009", "createdBy": "03_backfill_customers"}', '2020-01-01', '2020-01-01');

insert into "CustomerAddress" (id, customer_id, address, created_at, updated_at)
values ('a5000000-0000-4000-8000-000000000001', 'a4000000-0000-4000-8000-000000000001', '1 Road', '2020-01-01', '2020-01-01');

insert into "Conversation" (id, lead_id, channel, external_id, started_at, metadata)
values
    ('a6000000-0000-4000-8000-000000000001', 'a1000000-0000-4000-8000-000000000001', 'sms', null, '2020-01-01', '{}'),
    ('a6000000-0000-4000-8000-000000000002', null, 'sms', '5557770009', '2020-01-01', '{"source": "audit_backfill"}');

insert into "Message" (id, conversation_id, role, content, metadata, created_at)
values
    ('a7000000-0000-4000-8000-000000000001', 'a6000000-0000-4000-8000-000000000001', 'tool', '', '{"source": "web"}', '2020-01-01'),
    ('a7000000-0000-4000-8000-000000000002', 'a6000000-0000-4000-8000-000000000002', 'user', 'hi', '{"source": "audit_backfill"}', '2020-01-01');
