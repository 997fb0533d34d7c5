-- Every table has one row; the customers are five, so that each has one kind of dependant only.

insert into "Customer" (id, name)
values
    ('00000000-0000-4000-8000-0000000000c1', 'has a lead'),
    ('00000000-0000-4000-8000-0000000000c2', 'has a job'),
    ('00000000-0000-4000-8000-0000000000c3', 'has an address'),
    ('00000000-0000-4000-8000-0000000000c4', 'has a conversation'),
    ('00000000-0000-4000-8000-0000000000c5', 'has a note');

insert into "Lead" (id, channel, customer_id)
values (
    '00000000-0000-4000-8000-00000000001e',
    'sms',
    '00000000-0000-4000-8000-0000000000c1'
);

insert into "Job" (id, lead_id, customer_id, window_start, window_end)
values (
    '00000000-0000-4000-8000-00000000001b',
    '00000000-0000-4000-8000-00000000001e',
    '00000000-0000-4000-8000-0000000000c2',
    '2025-11-10 09:00+00',
    '2025-11-10 11:00+00'
);

insert into "Audit" (lead_id, actor, action, payload)
values ('00000000-0000-4000-8000-00000000001e', 'customer', 'message_received', '{}');

insert into "CustomerAddress" (customer_id, address)
values ('00000000-0000-4000-8000-0000000000c3', '1 Elm Street');

insert into "Conversation" (id, customer_id, lead_id, channel, external_id)
values (
    '00000000-0000-4000-8000-0000000000cf',
    '00000000-0000-4000-8000-0000000000c4',
    '00000000-0000-4000-8000-00000000001e',
    'sms',
    '5551234567'
);

insert into "Message" (conversation_id, role, content)
values ('00000000-0000-4000-8000-0000000000cf', 'user', 'A sofa and two chairs');

insert into "MemoryNote" (customer_id, content)
values ('00000000-0000-4000-8000-0000000000c5', 'Prefers mornings');

insert into "JobItem" (job_id, description, quantity, unit_price, total)
values ('00000000-0000-4000-8000-00000000001b', 'Sofa', 1, 90.00, 90.00);

insert into "JobEvent" (job_id, event_type)
values ('00000000-0000-4000-8000-00000000001b', 'booked');

insert into backfill.customer_backfill (entity, id)
values ('lead', '00000000-0000-4000-8000-00000000001e');

insert into backfill.conversation_backfill (entity, id)
values ('conversation', '00000000-0000-4000-8000-0000000000cf');
