-- Leads, jobs and audit entries as they stood before the first batch, each line an awkward case.

insert into "Lead" (id, channel, "messengerPsid", phone, email, name, created_at, updated_at)
values
    ('10000000-0000-4000-8000-000000000001', 'messenger', '1001', '+1 (555) 123-4567', null, 'Ana', '2025-01-01 08:00+00', '2025-01-01 08:00+00'), -- PSID and phone: the PSID groups
    ('10000000-0000-4000-8000-000000000002', 'messenger', '1001', null, 'ANA@example.com', 'Ana B.', '2025-01-02 08:00+00', '2025-01-02 08:00+00'), -- second lead of one PSID
    ('10000000-0000-4000-8000-000000000003', 'sms', '1001', null, null, null, '2025-01-03 08:00+00', '2025-01-03 08:00+00'), -- third lead of that PSID, on the other channel
    ('10000000-0000-4000-8000-000000000004', 'messenger', '1002', '555-123-4567', null, 'Ben', '2025-01-04 08:00+00', '2025-01-04 08:00+00'), -- another PSID with the same phone
    ('10000000-0000-4000-8000-000000000005', 'messenger', '   ', '(555) 123 4567', null, 'Cleo', '2025-01-05 08:00+00', '2025-01-05 08:00+00'), -- PSID of spaces is none: the phone groups
    ('10000000-0000-4000-8000-000000000006', 'messenger', '', null, 'dora@example.com', 'Dora', '2025-01-06 08:00+00', '2025-01-06 08:00+00'), -- empty PSID is none: the e-mail groups
    ('10000000-0000-4000-8000-000000000011', 'sms', null, '+1 (555) 123-4567', null, 'Cleo', '2025-01-11 08:00+00', '2025-01-11 08:00+00'), -- phone with country code, shared across channels
    ('10000000-0000-4000-8000-000000000012', 'sms', null, '555.123.4567', null, 'C.', '2025-01-12 08:00+00', '2025-01-12 08:00+00'), -- the same phone with dots
    ('10000000-0000-4000-8000-000000000013', 'sms', null, '1-555-123-4567', null, '', '2025-01-13 08:00+00', '2025-01-13 08:00+00'), -- the same phone with a bare 1, empty name
    ('10000000-0000-4000-8000-000000000014', 'sms', null, ' 5551234567 ', 'cleo@example.com', 'Cleo', '2025-01-14 08:00+00', '2025-01-14 08:00+00'), -- the same phone, phone before e-mail
    ('10000000-0000-4000-8000-000000000015', 'sms', null, '25551234567', null, 'Eve', '2025-01-15 08:00+00', '2025-01-15 08:00+00'), -- eleven digits that do not begin with 1
    ('10000000-0000-4000-8000-000000000016', 'sms', null, '+44 20 7946 0958', null, 'Finn', '2025-01-16 08:00+00', '2025-01-16 08:00+00'), -- international phone
    ('10000000-0000-4000-8000-000000000017', 'sms', null, '0044 20 7946 0958', null, 'Finn', '2025-01-17 08:00+00', '2025-01-17 08:00+00'), -- the same with 00: another number to us
    ('10000000-0000-4000-8000-000000000018', 'sms', null, '555-0123', null, 'Gil', '2025-01-18 08:00+00', '2025-01-18 08:00+00'), -- phone too short, nothing else: individual
    ('10000000-0000-4000-8000-000000000019', 'sms', null, 'call after 5', 'gil@example.com', 'Gil', '2025-01-19 08:00+00', '2025-01-19 08:00+00'), -- phone without a number: the e-mail groups
    ('10000000-0000-4000-8000-000000000020', 'sms', null, '(555) 987-6543 ext. 2', null, 'Hal', '2025-01-20 08:00+00', '2025-01-20 08:00+00'), -- an extension makes it eleven digits
    ('10000000-0000-4000-8000-000000000021', 'sms', null, null, '  USER@Example.COM ', 'Ida', '2025-01-21 08:00+00', '2025-01-21 08:00+00'), -- e-mail with blanks and capitals
    ('10000000-0000-4000-8000-000000000022', 'sms', null, null, 'user@example.com', 'Ida', '2025-01-22 08:00+00', '2025-01-22 08:00+00'), -- the same e-mail, plain
    ('10000000-0000-4000-8000-000000000023', 'sms', null, null, e'\tuser@example.com\n', 'Ida', '2025-01-23 08:00+00', '2025-01-23 08:00+00'), -- the same e-mail between tab and newline
    ('10000000-0000-4000-8000-000000000024', 'sms', null, null, 'user.example.com', 'Jo', '2025-01-24 08:00+00', '2025-01-24 08:00+00'), -- e-mail without @: individual
    ('10000000-0000-4000-8000-000000000025', 'sms', null, '123', 'nobody', 'Jo', '2025-01-25 08:00+00', '2025-01-25 08:00+00'), -- neither phone nor e-mail is one: individual
    ('10000000-0000-4000-8000-000000000026', 'sms', null, null, null, 'Kim', '2025-01-26 08:00+00', '2025-01-26 08:00+00'), -- a name and nothing else: individual
    ('10000000-0000-4000-8000-000000000027', 'sms', null, null, null, null, '2025-01-27 08:00+00', '2025-01-27 08:00+00'), -- nothing at all: individual
    ('10000000-0000-4000-8000-000000000028', 'messenger', '1003', null, null, e'Zoë "O''Neill" 100% \\ 山田', '2025-01-28 08:00+00', '2025-01-28 08:00+00'), -- quotes, percent, backslash, non-Latin name
    ('10000000-0000-4000-8000-000000000031', 'sms', null, '555 222 0001', null, 'Lea', '2025-02-01 08:00+00', '2025-02-01 08:00+00'), -- phone of a customer the application made
    ('10000000-0000-4000-8000-000000000032', 'sms', null, null, 'Max@Example.com', 'Max', '2025-02-02 08:00+00', '2025-02-02 08:00+00'), -- e-mail of a customer the application made
    ('10000000-0000-4000-8000-000000000033', 'sms', null, '555-222-0003', null, 'Noa', '2025-02-03 08:00+00', '2025-02-03 08:00+00'), -- phone of two such customers
    ('10000000-0000-4000-8000-000000000034', 'messenger', '2001', null, null, 'Ole', '2025-02-04 08:00+00', '2025-02-04 08:00+00'), -- PSID group key of such a customer
    ('10000000-0000-4000-8000-000000000035', 'sms', null, '555-222-0005', null, 'Pia', '2025-02-05 08:00+00', '2025-02-05 08:00+00'), -- linked by the application beforehand
    ('10000000-0000-4000-8000-000000000036', 'sms', null, '555-222-0005', null, 'Pia', '2025-02-06 08:00+00', '2025-02-06 08:00+00'), -- same phone, not linked beforehand
    ('10000000-0000-4000-8000-000000000037', 'sms', null, '555-222-0007', null, 'Quin', '2025-02-07 08:00+00', '2025-02-07 08:00+00'); -- in conversation with the application

insert into "Job" (id, lead_id, window_start, window_end, status, created_at, updated_at)
values
    ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '2025-03-01 08:00+00', '2025-03-01 10:00+00', 'booked', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job of a lead found by PSID
    ('20000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000002', '2025-03-02 08:00+00', '2025-03-02 10:00+00', 'completed', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job of another lead of that PSID
    ('20000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000014', '2025-03-03 08:00+00', '2025-03-03 10:00+00', 'tentative', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job of a lead found by phone
    ('20000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000021', '2025-03-04 08:00+00', '2025-03-04 10:00+00', 'cancelled', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job of a lead found by e-mail
    ('20000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000027', '2025-03-05 08:00+00', '2025-03-05 10:00+00', 'tentative', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job of a lead known by nothing
    ('20000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000035', '2025-03-06 08:00+00', '2025-03-06 10:00+00', 'booked', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job without customer, of a lead with one
    ('20000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000035', '2025-03-07 08:00+00', '2025-03-07 10:00+00', 'booked', '2025-02-20 08:00+00', '2025-02-20 08:00+00'), -- job with a customer already, as its lead
    ('20000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000031', '2025-03-08 08:00+00', '2025-03-08 10:00+00', 'booked', '2025-02-20 08:00+00', '2025-02-20 08:00+00'); -- job with a customer already, its lead with none

insert into "Audit" (id, lead_id, actor, action, payload, created_at)
values
    ('30000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'customer', 'message_received', '{"text": "Can you take a sofa?"}', '2025-01-01 09:01+00'), -- text of a customer
    ('30000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'user', 'chat', '{"message": "It is green."}', '2025-01-01 09:02+00'), -- message, any action
    ('30000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'agent', 'message_sent', '{"content": "We can."}', '2025-01-01 09:03+00'), -- content of an agent
    ('30000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', 'assistant', 'message_sent', '{"body": "Tomorrow?"}', '2025-01-01 09:04+00'), -- body counts for a message sent
    ('30000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000001', 'customer', 'message_received', '{"body": "Yes."}', '2025-01-01 09:05+00'), -- body counts for a message received
    ('30000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000001', 'system', 'quote_made', '{"body": "not for this action"}', '2025-01-01 09:06+00'), -- body counts for nothing else: whole payload
    ('30000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000001', 'tool', 'price_lookup', '{"result": {"price": 80, "items": ["sofa", null]}}', '2025-01-01 09:07+00'), -- nested, whole payload
    ('30000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000001', 'dispatcher', 'note', '{"text": "other actor"}', '2025-01-01 09:08+00'), -- an actor that is no source
    ('30000000-0000-4000-8000-000000000009', null, 'customer', 'message_received', '{"text": "no lead"}', '2025-01-01 09:09+00'), -- no lead, no source
    ('30000000-0000-4000-8000-000000000010', '10000000-0000-4000-8000-000000000001', 'customer', 'chat', '{"text": "text wins", "message": "not me", "content": "nor me", "body": "nor me"}', '2025-01-01 09:10+00'), -- all four keys
    ('30000000-0000-4000-8000-000000000011', '10000000-0000-4000-8000-000000000011', 'customer', 'chat', 'null', '2025-01-11 09:01+00'), -- null: nothing to show
    ('30000000-0000-4000-8000-000000000012', '10000000-0000-4000-8000-000000000011', 'customer', 'chat', '{}', '2025-01-11 09:02+00'), -- empty object: nothing to show
    ('30000000-0000-4000-8000-000000000013', '10000000-0000-4000-8000-000000000011', 'customer', 'chat', '[]', '2025-01-11 09:03+00'), -- empty array: nothing to show
    ('30000000-0000-4000-8000-000000000014', '10000000-0000-4000-8000-000000000011', 'customer', 'chat', '""', '2025-01-11 09:04+00'), -- empty string: nothing to show
    ('30000000-0000-4000-8000-000000000015', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": ""}', '2025-01-12 09:01+00'), -- empty text: whole payload
    ('30000000-0000-4000-8000-000000000016', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": " \t\n ", "message": "after a blank text"}', '2025-01-12 09:02+00'), -- text of white space: message
    ('30000000-0000-4000-8000-000000000017', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": 42, "content": "after a number"}', '2025-01-12 09:03+00'), -- text is a number: content
    ('30000000-0000-4000-8000-000000000018', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": {"text": "inner"}}', '2025-01-12 09:04+00'), -- text is an object: whole payload
    ('30000000-0000-4000-8000-000000000019', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": ["a", "b"], "message": null}', '2025-01-12 09:05+00'), -- text is an array, message null: whole payload
    ('30000000-0000-4000-8000-000000000020', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": true}', '2025-01-12 09:06+00'), -- text is a boolean: whole payload
    ('30000000-0000-4000-8000-000000000021', '10000000-0000-4000-8000-000000000012', 'customer', 'chat', '{"text": "\u00a0\u3000", "message": "after wide blanks"}', '2025-01-12 09:07+00'), -- text of other white space: message
    ('30000000-0000-4000-8000-000000000022', '10000000-0000-4000-8000-000000000013', 'customer', 'chat', '"a bare string"', '2025-01-13 09:01+00'), -- payload is a string: whole payload
    ('30000000-0000-4000-8000-000000000023', '10000000-0000-4000-8000-000000000013', 'customer', 'chat', '17', '2025-01-13 09:02+00'), -- payload is a number: whole payload
    ('30000000-0000-4000-8000-000000000024', '10000000-0000-4000-8000-000000000013', 'customer', 'chat', 'false', '2025-01-13 09:03+00'), -- payload is a boolean: whole payload
    ('30000000-0000-4000-8000-000000000025', '10000000-0000-4000-8000-000000000013', 'customer', 'chat', '[{"text": "in an array"}]', '2025-01-13 09:04+00'), -- payload is an array: whole payload
    ('30000000-0000-4000-8000-000000000026', '10000000-0000-4000-8000-000000000016', 'customer', 'chat', jsonb_build_object('text', repeat('ten chars ', 500)), '2025-01-16 09:01+00'), -- text of 5,000 characters: kept whole
    ('30000000-0000-4000-8000-000000000027', '10000000-0000-4000-8000-000000000016', 'tool', 'lookup', jsonb_build_object('dump', repeat('ten chars ', 500)), '2025-01-16 09:02+00'), -- payload of 5,000 characters: cut to 1,000
    ('30000000-0000-4000-8000-000000000028', '10000000-0000-4000-8000-000000000028', 'customer', 'chat', jsonb_build_object('text', e'it''s "100%" \\ {0} $1 %s :name; -- no comment'), '2025-01-28 09:01+00'), -- quotes, percent signs, backslashes
    ('30000000-0000-4000-8000-000000000029', '10000000-0000-4000-8000-000000000028', 'assistant', 'chat', '{"text": "粗大ごみ、お願いします 🛋️ Ελληνικά עברית"}', '2025-01-28 09:02+00'), -- non-Latin text
    ('30000000-0000-4000-8000-000000000030', '10000000-0000-4000-8000-000000000028', 'tool', 'lookup', '{"ключ": "значение \"в кавычках\" \\"}', '2025-01-28 09:03+00'), -- non-Latin payload with escapes, whole
    ('30000000-0000-4000-8000-000000000031', '10000000-0000-4000-8000-000000000028', 'customer', 'chat', e'{"text": "  kept\\nas it is  "}', '2025-01-28 09:04+00'), -- blanks around text: kept
    ('30000000-0000-4000-8000-000000000032', '10000000-0000-4000-8000-000000000002', 'customer', 'chat', '{"text": "same PSID, same channel"}', '2025-01-02 09:01+00'), -- external id taken by an older lead
    ('30000000-0000-4000-8000-000000000033', '10000000-0000-4000-8000-000000000003', 'customer', 'chat', '{"text": "same PSID, other channel"}', '2025-01-03 09:01+00'), -- external id free on this channel
    ('30000000-0000-4000-8000-000000000034', '10000000-0000-4000-8000-000000000027', 'customer', 'chat', '{"text": "who am I?"}', '2025-01-27 09:01+00'), -- lead without an external id
    ('30000000-0000-4000-8000-000000000035', '10000000-0000-4000-8000-000000000037', 'agent', 'chat', '{"text": "before the application"}', '2025-02-07 09:01+00'), -- lead that the application talks to
    ('30000000-0000-4000-8000-000000000036', '10000000-0000-4000-8000-000000000037', 'agent', 'chat', '{"text": "at the same moment"}', '2025-02-07 09:01+00'), -- two entries of one moment
    ('30000000-0000-4000-8000-000000000037', '10000000-0000-4000-8000-000000000024', 'dispatcher', 'note', '{"text": "no source at all"}', '2025-01-24 09:01+00'), -- lead without a source: no conversation
    ('30000000-0000-4000-8000-000000000038', null, 'system', 'nightly', '{"text": "no lead"}', '2025-02-08 09:01+00'); -- system entry of no lead
