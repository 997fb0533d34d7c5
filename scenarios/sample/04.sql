-- What the application writes once batch 4 has made conversations, each line a case.

insert into "Message" (id, conversation_id, role, content, created_at)
select v.id::uuid, c.id, v.role::"MessageRole", v.content, v.created_at::timestamptz
from (
    values
        ('70000000-0000-4000-8000-000000000011', '10000000-0000-4000-8000-000000000001', 'user', 'Still there?', '2025-03-10 08:00+00'), -- into a conversation of the backfill
        ('70000000-0000-4000-8000-000000000012', '10000000-0000-4000-8000-000000000037', 'assistant', 'Yes.', '2025-03-10 08:05+00') -- into one of the application
) as v (id, lead_id, role, content, created_at)
join "Conversation" as c
    on c.lead_id = v.lead_id::uuid
order by v.id;

insert into "MemoryNote" (id, customer_id, conversation_id, content, created_at)
select v.id::uuid, c.customer_id, c.id, v.content, v.created_at::timestamptz
from (
    values
        ('80000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000028', 'Prefers mornings', '2025-03-10 09:00+00') -- on a customer and a conversation of the backfills
) as v (id, lead_id, content, created_at)
join "Conversation" as c
    on c.lead_id = v.lead_id::uuid
order by v.id;
