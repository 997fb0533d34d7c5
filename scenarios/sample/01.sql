-- What the application made by itself between batch 1 and the backfills, each line a case.

insert into "Customer" (id, name, phone, email, metadata, created_at, updated_at)
values
    ('40000000-0000-4000-8000-000000000001', 'Lea', '+1 (555) 222-0001', null, '{}', '2025-02-10 08:00+00', '2025-02-10 08:00+00'), -- known by phone in another spelling
    ('40000000-0000-4000-8000-000000000002', 'Max', null, ' MAX@example.com', '{"vip": true}', '2025-02-10 08:00+00', '2025-02-10 08:00+00'), -- known by e-mail with blank and capitals
    ('40000000-0000-4000-8000-000000000003', 'Noa the younger', '5552220003', null, '{}', '2025-02-12 08:00+00', '2025-02-12 08:00+00'), -- of two with one phone the younger
    ('40000000-0000-4000-8000-000000000004', 'Noa the older', '555.222.0003', null, '{}', '2025-02-11 08:00+00', '2025-02-11 08:00+00'), -- of two with one phone the older: taken
    ('40000000-0000-4000-8000-000000000005', 'Ole', null, null, '{"groupKey": "psid:2001"}', '2025-02-10 08:00+00', '2025-02-10 08:00+00'), -- known by PSID group key
    ('40000000-0000-4000-8000-000000000006', 'Pia', '5552220005', 'pia@example.com', '[]', '2025-02-10 08:00+00', '2025-02-10 08:00+00'), -- has a lead and a job already, odd metadata
    ('40000000-0000-4000-8000-000000000007', 'Nobody', '555-0199', 'no address', '"odd"', '2025-02-10 08:00+00', '2025-02-10 08:00+00'); -- matches no lead

insert into "CustomerAddress" (id, customer_id, address, city, is_primary, created_at)
values
    ('50000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', '1 Example Street', 'Springfield', true, '2025-02-11 08:00+00'), -- address of a customer that is reused
    ('50000000-0000-4000-8000-000000000002', '40000000-0000-4000-8000-000000000007', '2 Example Street', null, false, '2025-02-11 08:00+00'); -- address of a customer without leads

update "Lead" set customer_id = '40000000-0000-4000-8000-000000000006' where id = '10000000-0000-4000-8000-000000000035'; -- lead linked beforehand
update "Job" set customer_id = '40000000-0000-4000-8000-000000000006' where id = '20000000-0000-4000-8000-000000000007'; -- job linked beforehand, as its lead
update "Job" set customer_id = '40000000-0000-4000-8000-000000000001' where id = '20000000-0000-4000-8000-000000000008'; -- job linked beforehand, its lead not yet

insert into "Conversation" (id, customer_id, lead_id, channel, external_id, started_at, last_message_at, metadata)
values
    ('60000000-0000-4000-8000-000000000001', null, '10000000-0000-4000-8000-000000000037', 'sms', '5552220007', '2025-02-12 08:00+00', '2025-02-12 08:05+00', '{}'), -- open, of a lead with history
    ('60000000-0000-4000-8000-000000000002', null, null, 'sms', '442079460958', '2025-02-12 09:00+00', '2025-02-12 09:05+00', '{}'), -- without a lead, has an external id that a lead would have
    ('60000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000007', null, 'messenger', null, '2025-02-12 10:00+00', null, '{"source": "web"}'); -- without a lead, empty

insert into "Message" (id, conversation_id, role, content, metadata, created_at)
values
    ('70000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000001', 'user', 'Written by the application', '{}', '2025-02-12 08:05+00'), -- message that no audit entry tells of
    ('70000000-0000-4000-8000-000000000002', '60000000-0000-4000-8000-000000000002', 'assistant', 'Who is there?', '{}', '2025-02-12 09:05+00'); -- message of a conversation without a lead
