-- Conversations that the application opens and closes once batch 5 stands, each line a case.

insert into "Conversation" (id, customer_id, lead_id, channel, external_id, started_at, last_message_at, closed_at)
select v.id::uuid, l.customer_id, l.id, v.channel::"Channel", null, v.started_at::timestamptz, null, v.closed_at::timestamptz
from (
    values
        ('60000000-0000-4000-8000-000000000011', '10000000-0000-4000-8000-000000000001', 'messenger', '2025-01-20 08:00+00', '2025-01-21 08:00+00'), -- closed, beside the open one of its lead
        ('60000000-0000-4000-8000-000000000012', '10000000-0000-4000-8000-000000000001', 'messenger', '2025-03-20 08:00+00', '2025-03-21 08:00+00'), -- closed, younger than the open one
        ('60000000-0000-4000-8000-000000000013', '10000000-0000-4000-8000-000000000018', 'sms', '2025-03-01 08:00+00', '2025-03-02 08:00+00'), -- closed, of a lead with no open one
        ('60000000-0000-4000-8000-000000000014', '10000000-0000-4000-8000-000000000018', 'sms', '2025-03-05 08:00+00', '2025-03-06 08:00+00'), -- second closed one of that lead
        ('60000000-0000-4000-8000-000000000015', '10000000-0000-4000-8000-000000000019', 'sms', '2025-03-07 08:00+00', null), -- open, of a lead without history
        ('60000000-0000-4000-8000-000000000016', null, 'sms', '2025-03-08 08:00+00', null), -- open, without a lead
        ('60000000-0000-4000-8000-000000000017', null, 'sms', '2025-03-09 08:00+00', null), -- a second open one without a lead
        ('60000000-0000-4000-8000-000000000018', null, 'sms', '2025-03-09 09:00+00', '2025-03-09 10:00+00') -- closed, without a lead
) as v (id, lead_id, channel, started_at, closed_at)
left join "Lead" as l
    on l.id = v.lead_id::uuid
order by v.id;

update "Conversation" set closed_at = '2025-03-30 08:00+00' where lead_id = '10000000-0000-4000-8000-000000000027'; -- one of the backfill that the application closes
