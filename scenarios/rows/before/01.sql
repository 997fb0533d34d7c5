-- What the application wrote before batch 1, awkward values among it.

insert into "Lead" (id, channel, name, "messengerPsid", phone, "stateMetadata", created_at, updated_at)
values
    ('a1000000-0000-4000-8000-000000000001', 'sms', 'Rosa', null, '555-777-0001', null, '2020-01-01', '2020-01-01'),
    ('a1000000-0000-4000-8000-000000000002', 'messenger', e'\t"Ø" 100% \\', '9001', null, 'null', '2020-01-02', '2020-01-02'),
    ('a1000000-0000-4000-8000-000000000003', 'sms', '', '', '', '{"a": [1, null]}', '2020-01-03', '2020-01-03'),
    ('a1000000-0000-4000-8000-000000000004', 'sms', null, null, null, null, '-infinity', 'infinity');

insert into "Job" (id, lead_id, window_start, window_end, created_at, updated_at)
values
    ('a2000000-0000-4000-8000-000000000001', 'a1000000-0000-4000-8000-000000000001', '-infinity', 'infinity', '2020-01-01', '2020-01-01'),
    ('a2000000-0000-4000-8000-000000000002', 'a1000000-0000-4000-8000-000000000004', '2020-01-02', '2020-01-01', '2020-01-01', '2020-01-01');

insert into "Audit" (id, lead_id, actor, action, payload, created_at)
values
    ('a3000000-0000-4000-8000-000000000001', 'a1000000-0000-4000-8000-000000000001', 'customer', 'chat', '{"text": "hello"}', '2020-01-01'),
    ('a3000000-0000-4000-8000-000000000002', 'a1000000-0000-4000-8000-000000000003', 'agent', 'chat', '{"b": 1}', '2020-01-01'),
    ('a3000000-0000-4000-8000-000000000003', null, 'system', 'backfill_customers', '{"version": "batch-3", "stats": {}}', '2020-01-01'),
    ('a3000000-0000-4000-8000-000000000004', null, 'system', 'backfill_conversations_messages', '{"version": "batch-4"}', '2020-01-01');
