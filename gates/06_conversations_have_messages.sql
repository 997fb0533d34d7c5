-- Every conversation has a message.
-- title: Message History Presence
-- pass: All conversations have messages
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Conversation"
-- show: id, lead_id, started_at
-- fix: A few are acceptable: look at their audit rows, as the README of batch 6 shows.

-- Ids first, in order: both indexes are read so, where the planner would otherwise hash all of them,
-- and no conversation is fetched that has messages. As an array, for the planner takes that to be
-- short, where it may think a join to need the table.
select
    c.id,
    c.lead_id,
    c.started_at
from unnest(
    array(
        select s.id
        from (
            select id
            from "Conversation"
            order by id
        ) as s
        where not exists (
            select
            from (
                select conversation_id
                from "Message"
                order by conversation_id
            ) as m
            where m.conversation_id = s.id
        )
    )
) as silent (id)
join "Conversation" as c on c.id = silent.id
order by
    c.started_at,
    c.id
