-- Every conversation has a message.
-- title: Message History Presence
-- pass: All conversations have messages
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Conversation"
-- show: id, lead_id, started_at
-- fix: A few are acceptable: look at their audit rows, as the README of batch 6 shows.

-- Ids first: both indexes are read in order, and no conversation is fetched that has messages.
select
    c.id,
    c.lead_id,
    c.started_at
from "Conversation" as c
where c.id in (
    select e.id
    from "Conversation" as e
    where not exists (
        select
        from "Message" as m
        where m.conversation_id = e.id
    )
)
order by
    c.started_at,
    c.id
