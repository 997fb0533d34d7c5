-- No lead has two open conversations.
-- title: Conversation Integrity
-- pass: OK: Single open conversation (for each lead)
-- level: required
-- after: 05_add_integrity_indexes
-- of: "Conversation"
-- show: lead_id, open_conversations
-- fix: Close all but the newest open conversation of each lead, as the README of batch 6 shows.

-- In the order of the unique index, which holds the open ones and no others: it is read alone, and
-- nothing is hashed. Without it the planner weighs hashing against another index.
select
    c.lead_id,
    count(*) as open_conversations
from "Conversation" as c
where c.closed_at is null
    and c.lead_id is not null
group by c.lead_id
having count(*) > 1
order by c.lead_id
