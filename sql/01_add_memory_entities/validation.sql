-- Every table, column, index and foreign key of batch 1 stands as defined and does its work.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $$
declare
    labels text;
begin
    select string_agg(e.enumlabel, ', ' order by e.enumsortorder)
    into labels
    from pg_catalog.pg_enum as e
    where e.enumtypid = to_regtype('"MessageRole"');

    if labels is distinct from 'user, assistant, system, tool' then
        raise exception 'Batch 1 is not valid: enum "MessageRole" differs'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format(
                    'expected: user, assistant, system, tool; found: %s',
                    coalesce(labels, 'nothing')
                ),
                hint = 'Was sql/01_add_memory_entities/migration.sql applied?';
    end if;

    raise notice '✓ Enum created: MessageRole (user, assistant, system, tool)';
end
$$;

do $$
declare
    differing text;
begin
    select string_agg(
        format(
            '%s.%s: expected %s; found %s',
            e.of_table,
            e.name,
            e.definition,
            coalesce(f.definition, 'nothing')
        ),
        chr(10)
        order by e.of_table, e.name
    )
    into differing
    from (
        values
            ('"Customer"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"Customer"', 'name', 'text'),
            ('"Customer"', 'phone', 'text'),
            ('"Customer"', 'email', 'text'),
            ('"Customer"', 'metadata', 'jsonb not null default ''{}''::jsonb'),
            ('"Customer"', 'created_at', 'timestamp with time zone not null default now()'),
            ('"Customer"', 'updated_at', 'timestamp with time zone not null default now()'),
            ('"CustomerAddress"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"CustomerAddress"', 'customer_id', 'uuid not null'),
            ('"CustomerAddress"', 'address', 'text not null'),
            ('"CustomerAddress"', 'city', 'text'),
            ('"CustomerAddress"', 'state', 'text'),
            ('"CustomerAddress"', 'zip', 'text'),
            ('"CustomerAddress"', 'lat', 'double precision'),
            ('"CustomerAddress"', 'lng', 'double precision'),
            ('"CustomerAddress"', 'is_primary', 'boolean not null default false'),
            ('"CustomerAddress"', 'created_at', 'timestamp with time zone not null default now()'),
            ('"CustomerAddress"', 'updated_at', 'timestamp with time zone not null default now()'),
            ('"Conversation"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"Conversation"', 'customer_id', 'uuid'),
            ('"Conversation"', 'lead_id', 'uuid'),
            ('"Conversation"', 'channel', '"Channel" not null'),
            ('"Conversation"', 'external_id', 'text'),
            ('"Conversation"', 'started_at', 'timestamp with time zone not null default now()'),
            ('"Conversation"', 'last_message_at', 'timestamp with time zone'),
            ('"Conversation"', 'metadata', 'jsonb not null default ''{}''::jsonb'),
            ('"Message"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"Message"', 'conversation_id', 'uuid not null'),
            ('"Message"', 'role', '"MessageRole" not null'),
            ('"Message"', 'content', 'text not null'),
            ('"Message"', 'metadata', 'jsonb not null default ''{}''::jsonb'),
            ('"Message"', 'created_at', 'timestamp with time zone not null default now()'),
            ('"MemoryNote"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"MemoryNote"', 'customer_id', 'uuid not null'),
            ('"MemoryNote"', 'conversation_id', 'uuid'),
            ('"MemoryNote"', 'content', 'text not null'),
            ('"MemoryNote"', 'metadata', 'jsonb not null default ''{}''::jsonb'),
            ('"MemoryNote"', 'expires_at', 'timestamp with time zone'),
            ('"MemoryNote"', 'created_at', 'timestamp with time zone not null default now()'),
            ('"JobItem"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"JobItem"', 'job_id', 'uuid not null'),
            ('"JobItem"', 'description', 'text not null'),
            ('"JobItem"', 'quantity', 'integer not null'),
            ('"JobItem"', 'unit_price', 'numeric(10,2) not null'),
            ('"JobItem"', 'total', 'numeric(10,2) not null'),
            ('"JobItem"', 'metadata', 'jsonb not null default ''{}''::jsonb'),
            ('"JobItem"', 'created_at', 'timestamp with time zone not null default now()'),
            ('"JobEvent"', 'id', 'uuid not null default gen_random_uuid()'),
            ('"JobEvent"', 'job_id', 'uuid not null'),
            ('"JobEvent"', 'event_type', 'text not null'),
            ('"JobEvent"', 'actor', 'text'),
            ('"JobEvent"', 'metadata', 'jsonb not null default ''{}''::jsonb'),
            ('"JobEvent"', 'created_at', 'timestamp with time zone not null default now()'),
            ('"Lead"', 'customer_id', 'uuid'),
            ('"Job"', 'customer_id', 'uuid')
    ) as e (of_table, name, definition)
    left join lateral (
        select
            pg_catalog.concat_ws(
                ' ',
                format_type(a.atttypid, a.atttypmod),
                case when a.attnotnull then 'not null' end,
                'default ' || pg_get_expr(d.adbin, d.adrelid)
            ) as definition
        from pg_catalog.pg_attribute as a
        left join pg_catalog.pg_attrdef as d
            on d.adrelid = a.attrelid
            and d.adnum = a.attnum
        where a.attrelid = to_regclass(e.of_table)
            and a.attname = e.name
            and not a.attisdropped
    ) as f
        on true
    where f.definition is distinct from e.definition
        -- What batch 7 makes of it.
        and not (
            e.of_table in ('"Lead"', '"Job"')
            and f.definition is not distinct from 'uuid not null'
        );

    if differing is not null then
        raise exception 'Batch 1 is not valid: columns differ'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Compare them with sql/01_add_memory_entities/migration.sql.';
    end if;

    raise notice '✓ Tables created: Customer, CustomerAddress, Conversation, Message, MemoryNote,'
        ' JobItem, JobEvent';
    raise notice '✓ Columns added: Lead.customer_id, Job.customer_id';
end
$$;

do $$
declare
    differing text;
begin
    select string_agg(
        format('%s: expected %s; found %s', e.name, e.definition, coalesce(f.definition, 'nothing')),
        chr(10)
        order by e.name
    )
    into differing
    from (
        values
            ('"Customer"', 'Customer_pkey', 'PRIMARY KEY (id)'),
            ('"CustomerAddress"', 'CustomerAddress_pkey', 'PRIMARY KEY (id)'),
            ('"Conversation"', 'Conversation_pkey', 'PRIMARY KEY (id)'),
            ('"Message"', 'Message_pkey', 'PRIMARY KEY (id)'),
            ('"MemoryNote"', 'MemoryNote_pkey', 'PRIMARY KEY (id)'),
            ('"JobItem"', 'JobItem_pkey', 'PRIMARY KEY (id)'),
            ('"JobEvent"', 'JobEvent_pkey', 'PRIMARY KEY (id)'),
            (
                '"Conversation"',
                'Conversation_channel_external_id_key',
                'UNIQUE (channel, external_id)'
            ),
            (
                '"CustomerAddress"',
                'CustomerAddress_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE CASCADE'
            ),
            (
                '"Conversation"',
                'Conversation_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE SET NULL'
            ),
            (
                '"Conversation"',
                'Conversation_lead_id_fkey',
                'FOREIGN KEY (lead_id) REFERENCES "Lead"(id)'
                    ' ON UPDATE CASCADE ON DELETE SET NULL'
            ),
            (
                '"Message"',
                'Message_conversation_id_fkey',
                'FOREIGN KEY (conversation_id) REFERENCES "Conversation"(id)'
                    ' ON UPDATE CASCADE ON DELETE CASCADE'
            ),
            (
                '"MemoryNote"',
                'MemoryNote_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE CASCADE'
            ),
            (
                '"JobItem"',
                'JobItem_job_id_fkey',
                'FOREIGN KEY (job_id) REFERENCES "Job"(id) ON UPDATE CASCADE ON DELETE CASCADE'
            ),
            (
                '"JobEvent"',
                'JobEvent_job_id_fkey',
                'FOREIGN KEY (job_id) REFERENCES "Job"(id) ON UPDATE CASCADE ON DELETE CASCADE'
            ),
            (
                '"Lead"',
                'Lead_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE SET NULL'
            ),
            (
                '"Job"',
                'Job_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE SET NULL'
            )
    ) as e (of_table, name, definition)
    left join lateral (
        select pg_catalog.pg_get_constraintdef(c.oid) as definition
        from pg_catalog.pg_constraint as c
        where c.conrelid = to_regclass(e.of_table)
            and c.conname = e.name
    ) as f
        on true
    where f.definition is distinct from e.definition
        -- What batch 7 makes of it, together with NOT NULL.
        and not (
            e.name in ('Lead_customer_id_fkey', 'Job_customer_id_fkey')
            and f.definition is not distinct from replace(e.definition, 'SET NULL', 'RESTRICT')
            and exists (
                select
                from pg_catalog.pg_attribute as a
                where a.attrelid in (to_regclass('"Lead"'), to_regclass('"Job"'))
                    and a.attname = 'customer_id'
                    and a.attnotnull
            )
        );

    if differing is not null then
        raise exception 'Batch 1 is not valid: constraints differ'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Compare them with sql/01_add_memory_entities/migration.sql.';
    end if;

    raise notice '✓ Constraints created: 7 primary keys, 1 unique, 9 foreign keys';
end
$$;

do $$
declare
    newest_first constant boolean := exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped);
    differing text;
begin
    select string_agg(
        format(
            '%s: expected %s (%s); found %s',
            e.name,
            e.of_table,
            e.columns,
            coalesce(f.definition, 'nothing')
        ),
        chr(10)
        order by e.name
    )
    into differing
    from (
        values
            ('Customer_phone_idx', 'Customer', 'phone'),
            ('Customer_email_idx', 'Customer', 'email'),
            ('Customer_created_at_idx', 'Customer', 'created_at'),
            ('CustomerAddress_customer_id_idx', 'CustomerAddress', 'customer_id'),
            (
                'CustomerAddress_customer_id_is_primary_idx',
                'CustomerAddress',
                'customer_id, is_primary'
            ),
            ('Conversation_customer_id_idx', 'Conversation', 'customer_id'),
            ('Conversation_lead_id_idx', 'Conversation', 'lead_id'),
            ('Conversation_last_message_at_idx', 'Conversation', 'last_message_at'),
            ('Conversation_started_at_idx', 'Conversation', 'started_at'),
            ('Message_conversation_id_idx', 'Message', 'conversation_id'),
            (
                'Message_conversation_id_created_at_idx',
                'Message',
                case
                    when newest_first then 'conversation_id, created_at DESC'
                    else 'conversation_id, created_at'
                end
            ),
            ('Message_created_at_idx', 'Message', 'created_at'),
            ('MemoryNote_customer_id_idx', 'MemoryNote', 'customer_id'),
            ('MemoryNote_conversation_id_idx', 'MemoryNote', 'conversation_id'),
            ('MemoryNote_created_at_idx', 'MemoryNote', 'created_at'),
            ('MemoryNote_expires_at_idx', 'MemoryNote', 'expires_at'),
            ('JobItem_job_id_idx', 'JobItem', 'job_id'),
            ('JobEvent_job_id_idx', 'JobEvent', 'job_id'),
            ('JobEvent_job_id_created_at_idx', 'JobEvent', 'job_id, created_at'),
            ('JobEvent_event_type_idx', 'JobEvent', 'event_type'),
            ('Lead_customer_id_idx', 'Lead', 'customer_id'),
            ('Job_customer_id_idx', 'Job', 'customer_id')
    ) as e (name, of_table, columns)
    left join lateral (
        select pg_catalog.concat_ws(
            ' ',
            pg_catalog.pg_get_indexdef(i.indexrelid),
            case when not (i.indisvalid and i.indisready and i.indislive) then 'INVALID' end
        ) as definition
        from pg_catalog.pg_index as i
        where i.indexrelid = to_regclass(pg_catalog.format('%I', e.name))
    ) as f
        on true
    where f.definition is distinct from
        pg_catalog.format('CREATE INDEX %I ON public.%I USING btree (%s)', e.name, e.of_table, e.columns);

    if differing is not null then
        raise exception 'Batch 1 is not valid: indexes differ'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Compare them with sql/01_add_memory_entities/migration.sql.';
    end if;

    raise notice '✓ Indexes created: 22';
end
$$;

-- From here on rows are made to be tried; all of them go with the transaction.
do $$
declare
    customer uuid;
    lead uuid;
    conversation uuid;
    job uuid;
    dependents bigint;
    outside constant text := gen_random_uuid()::text;
    violated text;
begin
    insert into "Customer" default values returning id into customer;
    insert into "CustomerAddress" (customer_id, address) values (customer, '1 Probe Street');
    insert into "MemoryNote" (customer_id, content) values (customer, 'probe');
    insert into "Lead" (channel, customer_id) values ('sms', customer) returning id into lead;
    insert into "Job" (lead_id, customer_id, window_start, window_end)
    values (lead, customer, now(), now())
    returning id into job;
    insert into "JobItem" (job_id, description, quantity, unit_price, total)
    values (job, 'probe', 1, 1, 1);
    insert into "JobEvent" (job_id, event_type) values (job, 'probe');
    insert into "Conversation" (customer_id, lead_id, channel, external_id)
    values (customer, lead, 'sms', outside)
    returning id into conversation;
    insert into "Message" (conversation_id, role, content) values (conversation, 'user', 'probe');

    raise notice '✓ Defaults working: Rows made with the required columns alone';

    begin
        insert into "Conversation" (channel, external_id) values ('sms', outside);
        raise exception 'Batch 1 is not valid: a second conversation with the same channel and'
            ' external_id was accepted';
    exception
        when unique_violation then
            get stacked diagnostics violated = constraint_name;
            if violated <> 'Conversation_channel_external_id_key' then
                raise;
            end if;
    end;
    insert into "Conversation" (channel, external_id) values ('messenger', outside);

    raise notice '✓ Constraint working: Prevented duplicate channel and external_id';

    delete from "Conversation" where id = conversation;
    delete from "Job" where id = job;

    select
        (select count(*) from "Message" as m where m.conversation_id = conversation)
        + (select count(*) from "JobItem" as i where i.job_id = job)
        + (select count(*) from "JobEvent" as e where e.job_id = job)
    into dependents;

    if dependents > 0 then
        raise exception 'Batch 1 is not valid: % messages, items or events outlived their parent',
            dependents;
    end if;

    raise notice '✓ Cascade working: Messages, items and events go with their parent';

    insert into "Conversation" (customer_id, lead_id, channel)
    values (customer, lead, 'sms')
    returning id into conversation;
    delete from "Lead" where id = lead;

    if exists (select from "Conversation" as v where v.id = conversation and v.lead_id = lead)
        or not exists (select from "Conversation" as v where v.id = conversation)
    then
        raise exception 'Batch 1 is not valid: deleting a lead did not unlink its conversation';
    end if;

    delete from "Customer" where id = customer;

    select
        (select count(*) from "CustomerAddress" as a where a.customer_id = customer)
        + (select count(*) from "MemoryNote" as n where n.customer_id = customer)
        + (select count(*) from "Conversation" as v where v.customer_id = customer)
    into dependents;

    if dependents > 0 or not exists (select from "Conversation" as v where v.id = conversation) then
        raise exception 'Batch 1 is not valid: deleting a customer did not unlink its conversation'
            ' and take its addresses and notes along';
    end if;

    raise notice '✓ Unlink working: Conversations outlive their lead and their customer';
end
$$;

-- Batch 7 changes what happens to the leads and jobs of a deleted customer, and its online route
-- does so before it is finished.
do $$
declare
    tightened constant boolean := exists (
        select
        from pg_catalog.pg_attribute as a
        where a.attrelid in ('"Lead"'::regclass, '"Job"'::regclass)
            and a.attname = 'customer_id'
            and a.attnotnull
    ) or exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid in ('"Lead"'::regclass, '"Job"'::regclass)
            and c.conname in (
                'Lead_customer_id_present',
                'Lead_customer_id_fkey_restrict',
                'Job_customer_id_present',
                'Job_customer_id_fkey_restrict'
            )
    );
    customer uuid;
    lead uuid;
    job uuid;
    refused boolean := false;
begin
    insert into "Customer" default values returning id into customer;
    insert into "Lead" (channel, customer_id) values ('sms', customer) returning id into lead;
    insert into "Job" (lead_id, customer_id, window_start, window_end)
    values (lead, customer, now(), now())
    returning id into job;

    begin
        delete from "Customer" where id = customer;
    exception
        when foreign_key_violation
            or restrict_violation
            or not_null_violation
            or check_violation
        then
            refused := true;
    end;

    if refused is distinct from tightened then
        raise exception 'Batch 1 is not valid: deleting a customer that has a lead was %',
            case when refused then 'refused before batch 7' else 'accepted after batch 7' end;
    end if;

    if not refused
        and (
            not exists (select from "Lead" as l where l.id = lead and l.customer_id is null)
            or not exists (select from "Job" as j where j.id = job and j.customer_id is null)
        )
    then
        raise exception 'Batch 1 is not valid: deleting a customer did not unlink its lead and job';
    end if;

    raise notice '✓ Links working: Deleting a customer %',
        case
            when refused then 'that has leads or jobs is refused (batch 7)'
            else 'unlinks its leads and jobs'
        end;
end
$$;

rollback;
