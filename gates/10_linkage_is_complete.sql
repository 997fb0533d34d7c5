-- All leads and jobs are linked, and the totals are there to be compared.
-- title: Overall Data Completeness
-- level: informational
-- after: 04_backfill_conversations_messages
-- of: "Lead"
-- show: entity, total, linked, linked_percent, finding
-- fix: Run the backfills again, sql/03_backfill_customers first; they link what is new.
-- rows: figures

with counted as (
    select
        1 as place,
        'customers' as entity,
        count(*) as total,
        null::bigint as linked
    from "Customer"
    union all
    select
        2,
        'leads',
        count(*),
        count(customer_id)
    from "Lead"
    union all
    select
        3,
        'jobs',
        count(*),
        count(customer_id)
    from "Job"
    union all
    select
        4,
        'conversations',
        count(*),
        null
    from "Conversation"
    union all
    select
        5,
        'messages',
        count(*),
        null
    from "Message"
)
select
    c.entity,
    c.total,
    c.linked,
    trunc(100.0 * c.linked / nullif(c.total, 0), 1) as linked_percent,
    case
        when c.linked < c.total
            then format('%s without a customer', c.total - c.linked)
    end as finding
from counted as c
order by c.place
