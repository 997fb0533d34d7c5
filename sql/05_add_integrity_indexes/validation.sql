-- One open conversation a lead is enforced, and both recency indexes stand and are used.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $$
declare
    column_definition text;
    checked record;
begin
    select pg_catalog.concat_ws(
        ' ',
        format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' end,
        case when a.atthasdef then 'default' end
    )
    into column_definition
    from pg_catalog.pg_attribute as a
    where a.attrelid = to_regclass('"Conversation"')
        and a.attname = 'closed_at'
        and not a.attisdropped;

    if column_definition is distinct from 'timestamp with time zone' then
        raise exception 'Batch 5 is not valid: column "Conversation".closed_at differs'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format(
                    'expected: timestamp with time zone; found: %s',
                    coalesce(column_definition, 'nothing')
                ),
                hint = 'Was sql/05_add_integrity_indexes/migration.sql applied?';
    end if;

    for checked in
        select
            e.name,
            e.said,
            e.definition as expected,
            f.definition as found
        from (
            values
                (
                    1,
                    '"Conversation_lead_open_unique"',
                    'Partial unique index created',
                    'CREATE UNIQUE INDEX "Conversation_lead_open_unique" ON public."Conversation"'
                        ' USING btree (lead_id) WHERE (closed_at IS NULL)'
                ),
                (
                    2,
                    '"Message_conversation_id_created_at_idx"',
                    'Composite index created (message recency)',
                    'CREATE INDEX "Message_conversation_id_created_at_idx" ON public."Message"'
                        ' USING btree (conversation_id, created_at DESC)'
                ),
                (
                    3,
                    '"Conversation_customer_id_started_at_idx"',
                    'Composite index created (conversation recency)',
                    'CREATE INDEX "Conversation_customer_id_started_at_idx"'
                        ' ON public."Conversation" USING btree (customer_id, started_at DESC)'
                )
        ) as e (place, name, said, definition)
        left join lateral (
            select pg_catalog.concat_ws(
                ' ',
                pg_catalog.pg_get_indexdef(i.indexrelid),
                case when not (i.indisvalid and i.indisready and i.indislive) then 'INVALID' end
            ) as definition
            from pg_catalog.pg_index as i
            where i.indexrelid = to_regclass(e.name)
        ) as f
            on true
        order by e.place
    loop
        if checked.found is distinct from checked.expected then
            raise exception 'Batch 5 is not valid: index % differs', checked.name
                using
                    errcode = 'object_not_in_prerequisite_state',
                    detail = format(
                        'expected: %s; found: %s',
                        checked.expected,
                        coalesce(checked.found, 'nothing')
                    ),
                    hint = 'Compare it with sql/05_add_integrity_indexes/migration.sql.';
        end if;
        raise notice '✓ %', checked.said;
    end loop;
end
$$;

-- From here on rows are made to be tried; all of them go with the transaction.
do $$
declare
    customer uuid;
    lead uuid;
    other_lead uuid;
    first uuid;
    violated text;
begin
    insert into "Customer" default values returning id into customer;
    insert into "Lead" (channel, customer_id) values ('sms', customer) returning id into lead;
    insert into "Lead" (channel, customer_id) values ('sms', customer) returning id into other_lead;

    insert into "Conversation" (lead_id, customer_id, channel)
    values (lead, customer, 'sms')
    returning id into first;

    raise notice '✓ Created test conversation (open)';

    begin
        insert into "Conversation" (lead_id, customer_id, channel) values (lead, customer, 'sms');
        raise exception 'Batch 5 is not valid: a second open conversation was accepted';
    exception
        when unique_violation then
            get stacked diagnostics violated = constraint_name;
            if violated <> 'Conversation_lead_open_unique' then
                raise;
            end if;
    end;

    raise notice '✓ Constraint working: Prevented duplicate open conversation';

    insert into "Conversation" (lead_id, customer_id, channel, closed_at)
    values (lead, customer, 'sms', '2025-11-01');

    raise notice '✓ Created first closed conversation';

    insert into "Conversation" (lead_id, customer_id, channel, closed_at)
    values (lead, customer, 'sms', '2025-11-05');

    raise notice '✓ Created second closed conversation (allowed)';

    update "Conversation" set closed_at = now() where id = first;
    insert into "Conversation" (lead_id, customer_id, channel) values (lead, customer, 'sms');

    raise notice '✓ Closed the test conversation and opened a new one (allowed)';

    begin
        update "Conversation" set closed_at = null where id = first;
        raise exception 'Batch 5 is not valid: reopening beside an open conversation was accepted';
    exception
        when unique_violation then
            get stacked diagnostics violated = constraint_name;
            if violated <> 'Conversation_lead_open_unique' then
                raise;
            end if;
    end;

    raise notice '✓ Constraint working: Prevented reopening beside an open conversation';

    insert into "Conversation" (lead_id, customer_id, channel) values (other_lead, customer, 'sms');
    insert into "Conversation" (channel) values ('sms'), ('sms');

    raise notice '✓ Created open conversations of another lead and of none (allowed)';
end
$$;

-- On a small table the planner would rather read and sort all of it, which proves nothing.
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local enable_sort = off;
set local enable_indexscan = on;

do $$
declare
    plan text;
begin
    execute pg_catalog.format(
        $query$
            explain (format json)
            select m.*
            from "Message" as m
            where m.conversation_id = %L
            order by m.created_at desc
            limit 20
        $query$,
        gen_random_uuid()
    ) into plan;

    if position('"Index Name": "Message_conversation_id_created_at_idx"' in plan) = 0 then
        raise exception 'Batch 5 is not valid: the newest messages of a conversation are not read'
            ' by "Message_conversation_id_created_at_idx"'
            using detail = plan;
    end if;

    raise notice '✓ Plan uses Message_conversation_id_created_at_idx';

    execute pg_catalog.format(
        $query$
            explain (format json)
            select v.*
            from "Conversation" as v
            where v.customer_id = %L
            order by v.started_at desc
            limit 10
        $query$,
        gen_random_uuid()
    ) into plan;

    if position('"Index Name": "Conversation_customer_id_started_at_idx"' in plan) = 0 then
        raise exception 'Batch 5 is not valid: the newest conversations of a customer are not read'
            ' by "Conversation_customer_id_started_at_idx"'
            using detail = plan;
    end if;

    raise notice '✓ Plan uses Conversation_customer_id_started_at_idx';
end
$$;

rollback;
