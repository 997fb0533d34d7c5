-- The indexes of batches 2 and 5 exist, are valid and have the definitions they were given.
-- title: Index Usage
-- level: informational
-- after: 05_add_integrity_indexes
-- of: pg_catalog.pg_index
-- show: batch, index, state, scans, finding
-- fix: Drop the index if it is there and create it again as its batch's migration.sql does.
-- rows: figures

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
