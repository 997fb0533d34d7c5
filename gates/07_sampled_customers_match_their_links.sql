-- Three customers taken at random have the leads and jobs that they should have.
-- title: Random Sampling - Customer Linkage
-- level: informational
-- after: 03_backfill_customers
-- of: "Customer"
-- show: customer_id, group_type, lead_count, leads, jobs, stray_jobs, conversations, finding
-- fix: Compare the customer's leads and jobs by hand, as the README of batch 6 shows.
-- rows: figures

-- A few random pages hold enough customers to choose from, whatever order their ids are in;
-- where those pages turn out empty, any customers fill up the three.
with sampled as (
    select c.id
    from "Customer" as c
        tablesample system (
            least(
                100,
                100.0 * 20 * current_setting('block_size')::integer
                    / greatest(1, pg_relation_size('"Customer"'))
            )
        )
    order by random()
    limit 3
),
picked as (
    select s.id
    from sampled as s
    union all
    select c.id
    from "Customer" as c
    where c.id not in (
        select s.id
        from sampled as s
    )
    limit 3
),
linked as (
    select
        c.id,
        c.metadata,
        (
            select count(*)
            from "Lead" as l
            where l.customer_id = c.id
        ) as leads,
        (
            select count(*)
            from "Job" as j
            where j.customer_id = c.id
        ) as jobs,
        (
            select count(*)
            from "Job" as j
            join "Lead" as l on l.id = j.lead_id
            where j.customer_id = c.id
                and l.customer_id is distinct from c.id
        ) + (
            select count(*)
            from "Lead" as l
            join "Job" as j on j.lead_id = l.id
            where l.customer_id = c.id
                and j.customer_id is distinct from c.id
        ) as stray_jobs,
        (
            select count(*)
            from "Conversation" as v
            where v.customer_id = c.id
        ) as conversations
    from picked as p
    join "Customer" as c on c.id = p.id
)
select
    k.id as customer_id,
    case
        when k.metadata ->> 'groupType' in ('psid', 'phone', 'email', 'individual')
            then k.metadata ->> 'groupType'
    end as group_type,
    case
        when jsonb_typeof(k.metadata -> 'leadCount') = 'number'
            then (k.metadata ->> 'leadCount')::numeric
    end as lead_count,
    k.leads,
    k.jobs,
    k.stray_jobs,
    k.conversations,
    nullif(
        concat_ws(
            '; ',
            case
                when nullif(k.metadata -> 'leadCount', 'null') <> to_jsonb(k.leads)
                    then 'leadCount disagrees with the leads linked'
            end,
            case
                when k.stray_jobs > 0
                    then 'a job and its lead have different customers'
            end
        ),
        ''
    ) as finding
from linked as k
order by k.id
