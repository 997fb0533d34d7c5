-- Every conversation has a message.
-- title: Message History Presence
-- pass: All conversations have messages
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Conversation"
-- show: id, lead_id, started_at
-- fix: A few are acceptable: look at their audit rows, as the README of batch 6 shows.

-- Ids first: both indexes are read in order, and no conversation is fetched that has messages. As
-- an array, for the planner takes that to be short, where it may think a join to need the table.
select
    c.id,
    c.lead_id,
    c.started_at
from unnest(
    array(
        select s.id
        from "Conversation" as s
        where not exists (
            select
            from "Message" as m
            where m.conversation_id = s.id
        )
    )
) as silent (id)
join "Conversation" as c on c.id = silent.id
order by
    c.started_at,
    c.id
