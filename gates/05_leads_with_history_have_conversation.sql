-- Every lead with message history has a conversation.
-- title: Conversation Coverage
-- pass: All leads with history have conversations
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Audit"
-- show: id, created_at
-- fix: Run sql/04_backfill_conversations_messages/migration.sql again; it picks up what is new.

select
    l.id,
    l.name,
    l.created_at
from "Lead" as l
where not exists (
        select
        from "Conversation" as c
        where c.lead_id = l.id
    )
    and exists (
        select
        from "Audit" as a
        where a.lead_id = l.id
            and a.actor in ('customer', 'user', 'agent', 'assistant', 'system', 'tool')
    )
order by
    l.created_at,
    l.id
