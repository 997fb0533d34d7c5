-- No lead has two open conversations.
-- title: Conversation Integrity
-- pass: OK: Single open conversation (for each lead)
-- level: required
-- after: 05_add_integrity_indexes
-- of: "Conversation"
-- show: lead_id, open_conversations
-- fix: Close all but the newest open conversation of each lead, as the README of batch 6 shows.

-- Counted apart from the order: without the unique index the planner would rather fetch every
-- conversation in the order of another one than sort the few leads that are found.
with crowded as materialized (
    select
        c.lead_id,
        count(*) as open_conversations
    from "Conversation" as c
    where c.closed_at is null
        and c.lead_id is not null
    group by c.lead_id
    having count(*) > 1
)
select
    w.lead_id,
    w.open_conversations
from crowded as w
order by w.lead_id
