-- Every required gate passes; the others say what there is to review.

-- Generated from the files under gates/, which are the ones to edit. To make it again:
-- python -m batchgate.gatescript

\set ON_ERROR_STOP on
\set QUIET on
\set gate_unmet ''

begin transaction isolation level repeatable read read only;
set local search_path = public;
set local row_security = off;

-- gates/01_leads_have_customer.sql

\echo '=== GATE 1: Lead Coverage ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.customer_backfill') is not null and to_regclass('backfill.customer_backfill_run') is null) then null else '03_backfill_customers' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Lead") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Lead") then '"Lead" is empty' end) as gate_empty
from (
select
    l.id,
    l.name,
    l.phone,
    l.created_at
from "Lead" as l
where l.customer_id is null
order by
    l.created_at,
    l.id
) as gate
\gset
\if :gate_found_any
\echo '✗ FAIL:' :gate_found 'row(s) found. Fix: Run sql/03_backfill_customers/migration.sql again; it links what is new.'
\set gate_unmet :gate_unmet ', 01_leads_have_customer (failed)'
\elif :gate_exercised
\echo '✓ PASS: All leads linked to customers'
\else
\echo '… not exercised:' :gate_empty
\set gate_unmet :gate_unmet ', 01_leads_have_customer (not exercised)'
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\set gate_unmet :gate_unmet ', 01_leads_have_customer (not applicable yet)'
\endif
\echo

-- gates/02_jobs_have_customer.sql

\echo '=== GATE 2: Job Coverage ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.customer_backfill') is not null and to_regclass('backfill.customer_backfill_run') is null) then null else '03_backfill_customers' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Job") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Job") then '"Job" is empty' end) as gate_empty
from (
select
    j.id,
    j.lead_id,
    j.created_at
from "Job" as j
where j.customer_id is null
order by
    j.created_at,
    j.id
) as gate
\gset
\if :gate_found_any
\echo '✗ FAIL:' :gate_found 'row(s) found. Fix: Run sql/03_backfill_customers/migration.sql again; a job takes its lead''s customer.'
\set gate_unmet :gate_unmet ', 02_jobs_have_customer (failed)'
\elif :gate_exercised
\echo '✓ PASS: All jobs linked to customers'
\else
\echo '… not exercised:' :gate_empty
\set gate_unmet :gate_unmet ', 02_jobs_have_customer (not exercised)'
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\set gate_unmet :gate_unmet ', 02_jobs_have_customer (not applicable yet)'
\endif
\echo

-- gates/03_lead_customers_exist.sql

\echo '=== GATE 3: Customer-Lead Consistency ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.customer_backfill') is not null and to_regclass('backfill.customer_backfill_run') is null) then null else '03_backfill_customers' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Lead") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Lead") then '"Lead" is empty' end) as gate_empty
from (
select
    l.id,
    l.customer_id,
    l.created_at
from unnest(
    array(
        select n.customer_id
        from (
            select distinct customer_id
            from "Lead"
            where customer_id is not null
        ) as n
        where not exists (
            select
            from "Customer" as c
            where c.id = n.customer_id
        )
    )
) as missing (id)
join "Lead" as l on l.customer_id = missing.id
order by
    l.created_at,
    l.id
) as gate
\gset
\if :gate_found_any
\echo '✗ FAIL:' :gate_found 'row(s) found. Fix: Create the missing customer or relink the lead, as the README of batch 6 shows.'
\set gate_unmet :gate_unmet ', 03_lead_customers_exist (failed)'
\elif :gate_exercised
\echo '✓ PASS: All lead.customer_id valid'
\else
\echo '… not exercised:' :gate_empty
\set gate_unmet :gate_unmet ', 03_lead_customers_exist (not exercised)'
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\set gate_unmet :gate_unmet ', 03_lead_customers_exist (not applicable yet)'
\endif
\echo

-- gates/04_job_customers_exist.sql

\echo '=== GATE 4: Customer-Job Consistency ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.customer_backfill') is not null and to_regclass('backfill.customer_backfill_run') is null) then null else '03_backfill_customers' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Job") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Job") then '"Job" is empty' end) as gate_empty
from (
select
    j.id,
    j.lead_id,
    j.customer_id,
    j.created_at
from unnest(
    array(
        select n.customer_id
        from (
            select distinct customer_id
            from "Job"
            where customer_id is not null
        ) as n
        where not exists (
            select
            from "Customer" as c
            where c.id = n.customer_id
        )
    )
) as missing (id)
join "Job" as j on j.customer_id = missing.id
order by
    j.created_at,
    j.id
) as gate
\gset
\if :gate_found_any
\echo '✗ FAIL:' :gate_found 'row(s) found. Fix: Create the missing customer or relink the job, as the README of batch 6 shows.'
\set gate_unmet :gate_unmet ', 04_job_customers_exist (failed)'
\elif :gate_exercised
\echo '✓ PASS: All job.customer_id valid'
\else
\echo '… not exercised:' :gate_empty
\set gate_unmet :gate_unmet ', 04_job_customers_exist (not exercised)'
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\set gate_unmet :gate_unmet ', 04_job_customers_exist (not applicable yet)'
\endif
\echo

-- gates/05_leads_with_history_have_conversation.sql

\echo '=== GATE 5: Conversation Coverage ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.conversation_backfill') is not null and to_regclass('backfill.conversation_backfill_run') is null) then null else '04_backfill_conversations_messages' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Audit") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Audit") then '"Audit" is empty' end) as gate_empty
from (
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
) as gate
\gset
\if :gate_found_any
\echo 'ℹ️' :gate_found 'to review. Run sql/04_backfill_conversations_messages/migration.sql again; it picks up what is new.'
\elif :gate_exercised
\echo '✓ PASS: All leads with history have conversations'
\else
\echo '… not exercised:' :gate_empty
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\endif
\echo

-- gates/06_conversations_have_messages.sql

\echo '=== GATE 6: Message History Presence ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.conversation_backfill') is not null and to_regclass('backfill.conversation_backfill_run') is null) then null else '04_backfill_conversations_messages' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Conversation") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Conversation") then '"Conversation" is empty' end) as gate_empty
from (
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
) as gate
\gset
\if :gate_found_any
\echo 'ℹ️' :gate_found 'to review. A few are acceptable: look at their audit rows, as the README of batch 6 shows.'
\elif :gate_exercised
\echo '✓ PASS: All conversations have messages'
\else
\echo '… not exercised:' :gate_empty
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\endif
\echo

-- gates/07_sampled_customers_match_their_links.sql

\echo '=== GATE 7: Random Sampling - Customer Linkage ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.customer_backfill') is not null and to_regclass('backfill.customer_backfill_run') is null) then null else '03_backfill_customers' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(gate.finding) as gate_found,
    count(gate.finding) > 0 as gate_found_any,
    coalesce(string_agg('  ' || concat_ws(' | ', 'customer_id=' || gate."customer_id"::text, 'group_type=' || gate."group_type"::text, 'lead_count=' || gate."lead_count"::text, 'leads=' || gate."leads"::text, 'jobs=' || gate."jobs"::text, 'stray_jobs=' || gate."stray_jobs"::text, 'conversations=' || gate."conversations"::text, 'finding=' || gate."finding"::text), e'\n'), '') as gate_figures,
    exists (select from "Customer") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Customer") then '"Customer" is empty' end) as gate_empty
from (
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
) as gate
\gset
\if :gate_found_any
\echo :gate_figures
\echo 'ℹ️' :gate_found 'to review. Compare the customer''s leads and jobs by hand, as the README of batch 6 shows.'
\elif :gate_exercised
\echo :gate_figures
\else
\echo '… not exercised:' :gate_empty
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\endif
\echo

-- gates/08_messages_come_from_both_sides.sql

\echo '=== GATE 8: Message Role Distribution ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.conversation_backfill') is not null and to_regclass('backfill.conversation_backfill_run') is null) then null else '04_backfill_conversations_messages' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(gate.finding) as gate_found,
    count(gate.finding) > 0 as gate_found_any,
    coalesce(string_agg('  ' || concat_ws(' | ', 'role=' || gate."role"::text, 'messages=' || gate."messages"::text, 'percent=' || gate."percent"::text, 'finding=' || gate."finding"::text), e'\n'), '') as gate_figures,
    exists (select from "Message") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Message") then '"Message" is empty' end) as gate_empty
from (
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
) as gate
\gset
\if :gate_found_any
\echo :gate_figures
\echo 'ℹ️' :gate_found 'to review. Compare the roles with the actors in "Audit"; batch 4''s README says which become which.'
\elif :gate_exercised
\echo :gate_figures
\else
\echo '… not exercised:' :gate_empty
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\endif
\echo

-- gates/09_leads_have_at_most_one_open_conversation.sql

\echo '=== GATE 9: Conversation Integrity ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped) and to_regclass('public."Message_conversation_id_created_at_idx_ascending"') is null) then null else '05_add_integrity_indexes' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(*) as gate_found,
    count(*) > 0 as gate_found_any,
    exists (select from "Conversation") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Conversation") then '"Conversation" is empty' end) as gate_empty
from (
select
    c.lead_id,
    count(*) as open_conversations
from "Conversation" as c
where c.closed_at is null
    and c.lead_id is not null
group by c.lead_id
having count(*) > 1
order by c.lead_id
) as gate
\gset
\if :gate_found_any
\echo '✗ FAIL:' :gate_found 'row(s) found. Fix: Close all but the newest open conversation of each lead, as the README of batch 6 shows.'
\set gate_unmet :gate_unmet ', 09_leads_have_at_most_one_open_conversation (failed)'
\elif :gate_exercised
\echo '✓ OK: Single open conversation (for each lead)'
\else
\echo '… not exercised:' :gate_empty
\set gate_unmet :gate_unmet ', 09_leads_have_at_most_one_open_conversation (not exercised)'
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\set gate_unmet :gate_unmet ', 09_leads_have_at_most_one_open_conversation (not applicable yet)'
\endif
\echo

-- gates/10_linkage_is_complete.sql

\echo '=== GATE 10: Overall Data Completeness ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (to_regclass('backfill.conversation_backfill') is not null and to_regclass('backfill.conversation_backfill_run') is null) then null else '04_backfill_conversations_messages' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(gate.finding) as gate_found,
    count(gate.finding) > 0 as gate_found_any,
    coalesce(string_agg('  ' || concat_ws(' | ', 'entity=' || gate."entity"::text, 'total=' || gate."total"::text, 'linked=' || gate."linked"::text, 'linked_percent=' || gate."linked_percent"::text, 'finding=' || gate."finding"::text), e'\n'), '') as gate_figures,
    exists (select from "Lead") as gate_exercised,
    concat_ws(', ', case when not exists (select from "Lead") then '"Lead" is empty' end) as gate_empty
from (
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
) as gate
\gset
\if :gate_found_any
\echo :gate_figures
\echo 'ℹ️' :gate_found 'to review. Run the backfills again, sql/03_backfill_customers first; they link what is new.'
\elif :gate_exercised
\echo :gate_figures
\else
\echo '… not exercised:' :gate_empty
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\endif
\echo

-- gates/11_indexes_are_in_place.sql

\echo '=== GATE 11: Index Usage ==='
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select concat_ws(', ', case when (exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped) and to_regclass('public."Message_conversation_id_created_at_idx_ascending"') is null) then null else '05_add_integrity_indexes' end) as absent
) as needed
\gset
\if :gate_applicable
select
    count(gate.finding) as gate_found,
    count(gate.finding) > 0 as gate_found_any,
    coalesce(string_agg('  ' || concat_ws(' | ', 'batch=' || gate."batch"::text, 'index=' || gate."index"::text, 'state=' || gate."state"::text, 'scans=' || gate."scans"::text, 'finding=' || gate."finding"::text), e'\n'), '') as gate_figures,
    exists (select from pg_catalog.pg_index) as gate_exercised,
    concat_ws(', ', case when not exists (select from pg_catalog.pg_index) then 'pg_catalog.pg_index is empty' end) as gate_empty
from (
with expected (place, batch, index, definition) as (
    values
        (
            1,
            2,
            'Message_content_fts_idx',
            'CREATE INDEX "Message_content_fts_idx" ON public."Message"'
                ' USING gin (to_tsvector(''english''::regconfig, COALESCE(content, ''''::text)))'
        ),
        (
            2,
            2,
            'Message_role_idx',
            'CREATE INDEX "Message_role_idx" ON public."Message" USING btree (role)'
        ),
        (
            3,
            5,
            'Conversation_lead_open_unique',
            'CREATE UNIQUE INDEX "Conversation_lead_open_unique" ON public."Conversation"'
                ' USING btree (lead_id) WHERE (closed_at IS NULL)'
        ),
        (
            4,
            5,
            'Message_conversation_id_created_at_idx',
            'CREATE INDEX "Message_conversation_id_created_at_idx" ON public."Message"'
                ' USING btree (conversation_id, created_at DESC)'
        ),
        (
            5,
            5,
            'Conversation_customer_id_started_at_idx',
            'CREATE INDEX "Conversation_customer_id_started_at_idx" ON public."Conversation"'
                ' USING btree (customer_id, started_at DESC)'
        )
)
select
    e.batch,
    e.index,
    s.state,
    u.idx_scan as scans,
    case
        when s.state in ('missing', 'invalid', 'wrong definition')
            then s.state
    end as finding
from expected as e
left join pg_catalog.pg_index as i on i.indexrelid = to_regclass(format('public.%I', e.index))
left join pg_catalog.pg_stat_user_indexes as u on u.indexrelid = i.indexrelid
cross join lateral (
    select
        case
            when i.indexrelid is null then 'missing'
            when not (i.indisvalid and i.indisready and i.indislive) then 'invalid'
            when pg_get_indexdef(i.indexrelid) <> e.definition then 'wrong definition'
            when u.idx_scan > 0 then 'present'
            else 'present, not used yet'
        end as state
) as s
order by e.place
) as gate
\gset
\if :gate_found_any
\echo :gate_figures
\echo 'ℹ️' :gate_found 'to review. Drop the index if it is there and create it again as its batch''s migration.sql does.'
\elif :gate_exercised
\echo :gate_figures
\else
\echo '… not exercised:' :gate_empty
\endif
\else
\echo '… not applicable yet: needs' :gate_absent
\endif
\echo

rollback;

\echo '=== BATCH 6 VALIDATION COMPLETE ==='

select
    :'gate_unmet' <> '' as gate_failed,
    format(
        'begin raise exception using message = %L; end',
        'required gates without a pass: ' || substr(:'gate_unmet', 3)
    ) as gate_verdict
\gset
\if :gate_failed
\set SHOW_CONTEXT never
do :'gate_verdict';
\endif
