-- Every lead with message history has a conversation.
-- title: Conversation Coverage
-- pass: All leads with history have conversations
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Audit"
-- show: id, created_at
-- fix: Run sql/04_backfill_conversations_messages/migration.sql again; it picks up what is new.

-- Ids first, in order: both indexes are read so, where the planner would otherwise hash all of them,
-- and only a lead without a conversation is looked up, in the audit trail until its first row of
-- history. As an array, for the planner takes that to be short, where it may think a join to need
-- the whole trail.
select
    l.id,
    l.name,
    l.created_at
from unnest(
    array(
        select s.id
        from (
            select id
            from "Lead"
            order by id
        ) as s
        where not exists (
            select
            from (
                select lead_id
                from "Conversation"
                where lead_id is not null
                order by lead_id
            ) as c
            where c.lead_id = s.id
        )
    )
) as silent (id)
join "Lead" as l on l.id = silent.id
where exists (
    select
    from "Audit" as a
    where a.lead_id = l.id
        and a.actor in ('customer', 'user', 'agent', 'assistant', 'system', 'tool')
)
order by
    l.created_at,
    l.id
