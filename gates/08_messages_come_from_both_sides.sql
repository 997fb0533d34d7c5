-- Users and assistants have both written messages.
-- title: Message Role Distribution
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Message"
-- show: role, messages, percent, finding
-- fix: Compare the roles with the actors in "Audit"; batch 4's README says which become which.
-- rows: figures

with counted as (
    select
        r.role,
        coalesce(m.messages, 0) as messages,
        sum(m.messages) over () as total
    from unnest(enum_range(null::"MessageRole")) as r (role)
    left join (
        select
            role,
            count(*) as messages
        from "Message"
        group by role
    ) as m on m.role = r.role
)
select
    c.role,
    c.messages,
    coalesce(round(100.0 * c.messages / c.total, 1), 0) as percent,
    case
        when c.role in ('user', 'assistant') and c.messages = 0 and c.total > 0
            then format('no %s message', c.role)
    end as finding
from counted as c
order by c.role
