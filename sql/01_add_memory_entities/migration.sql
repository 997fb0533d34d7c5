-- Customers, conversations and their memory have tables, and leads and jobs may name a customer.
-- requires: 00_baseline
-- present: to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null and (select count(*) = 2 from pg_catalog.pg_index where indexrelid in (to_regclass('public."Lead_customer_id_idx"'), to_regclass('public."Job_customer_id_idx"')) and indisvalid)

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;

-- Writers take these tables in orders of their own, and whoever holds one and waits for another is
-- half a deadlock: so the wait is short, and all is given back before it is asked for again.
do $$
declare
    patience constant interval := current_setting('lock_timeout');
    until constant timestamptz := case
        when patience > '0' then clock_timestamp() + patience
        else 'infinity'
    end;
begin
    if to_regclass('public."Lead"') is null
        or to_regclass('public."Job"') is null
        or to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null
    then
        return;
    end if;

    loop
        begin
            lock table "Lead" in access exclusive mode;
            set local lock_timeout = '400ms';
            lock table "Job" in access exclusive mode;
            exit;
        exception
            when lock_not_available then
                if clock_timestamp() >= until then
                    raise;
                end if;
        end;
    end loop;
end
$$;

do $$
declare
    entities constant text[] := array[
        'Customer',
        'CustomerAddress',
        'Conversation',
        'Message',
        'MemoryNote',
        'JobItem',
        'JobEvent',
        'MessageRole'
    ];
    indexes constant text[] := array[
        'Conversation_channel_external_id_key',
        'Conversation_customer_id_idx',
        'Conversation_last_message_at_idx',
        'Conversation_lead_id_idx',
        'Conversation_pkey',
        'Conversation_started_at_idx',
        'CustomerAddress_customer_id_idx',
        'CustomerAddress_customer_id_is_primary_idx',
        'CustomerAddress_pkey',
        'Customer_created_at_idx',
        'Customer_email_idx',
        'Customer_phone_idx',
        'Customer_pkey',
        'JobEvent_event_type_idx',
        'JobEvent_job_id_created_at_idx',
        'JobEvent_job_id_idx',
        'JobEvent_pkey',
        'JobItem_job_id_idx',
        'JobItem_pkey',
        'Job_customer_id_idx',
        'Lead_customer_id_idx',
        'MemoryNote_conversation_id_idx',
        'MemoryNote_created_at_idx',
        'MemoryNote_customer_id_idx',
        'MemoryNote_expires_at_idx',
        'MemoryNote_pkey',
        'Message_conversation_id_created_at_idx',
        'Message_conversation_id_idx',
        'Message_created_at_idx',
        'Message_pkey'
    ];
    standing integer;
    names text;
begin
    if (to_regclass('public."Lead"') is not null and to_regclass('public."Job"') is not null and to_regclass('public."Audit"') is not null) is not true
        or to_regtype('public."Channel"') is null
    then
        raise exception 'Cannot add memory entities: 00_baseline is not applied'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/00_baseline/migration.sql first.';
    end if;

    select
        count(*) filter (where n.rank = 1),
        string_agg(n.name, ', ' order by n.place) filter (where n.place <= 10)
            || case when count(*) > 10 then ' and others' else '' end
    into standing, names
    from (
        select
            b.rank,
            b.name,
            row_number() over (order by b.rank, b.name) as place
        from (
            select
                case when c.relname = any (entities) then 1 else 2 end as rank,
                pg_describe_object('pg_class'::regclass, c.oid, 0) as name
            from pg_catalog.pg_class as c
            where c.relnamespace = 'public'::regnamespace
                and c.relname = any (entities || indexes)
            union all
            select
                1,
                pg_describe_object('pg_type'::regclass, y.oid, 0)
            from pg_catalog.pg_type as y
            where y.typnamespace = 'public'::regnamespace
                and y.typname = any (entities)
                and y.typrelid = 0
            union all
            select
                1,
                pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum)
            from pg_catalog.pg_attribute as a
            where a.attrelid in ('"Lead"'::regclass, '"Job"'::regclass)
                and a.attname = 'customer_id'
                and not a.attisdropped
            union all
            select
                2,
                pg_describe_object('pg_constraint'::regclass, c.oid, 0)
            from pg_catalog.pg_constraint as c
            where c.conrelid in ('"Lead"'::regclass, '"Job"'::regclass)
                and c.conname in ('Lead_customer_id_fkey', 'Job_customer_id_fkey')
        ) as b
    ) as n;

    if to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null and standing = cardinality(entities) + 2 then
        if (
            select count(*) < 2
            from pg_catalog.pg_index as i
            where i.indexrelid in (
                    to_regclass('public."Lead_customer_id_idx"'),
                    to_regclass('public."Job_customer_id_idx"')
                )
                and i.indisvalid
        ) then
            raise exception 'Cannot add memory entities: migration.online.sql was begun, not finished'
                using
                    errcode = 'object_not_in_prerequisite_state',
                    hint = 'Run sql/01_add_memory_entities/migration.online.sql again to finish it,'
                        ' or rollback.sql beside it to take it back.';
        end if;

        raise exception 'Cannot add memory entities: 01_add_memory_entities is already applied'
            using
                errcode = 'duplicate_table',
                hint = 'There is nothing to run;'
                    ' sql/01_add_memory_entities/validation.sql proves that all of it stands.';
    elsif names is not null then
        raise exception 'Cannot add memory entities: % already exists', names
            using
                errcode = 'duplicate_object',
                hint = 'This batch did not make it as it stands. Rename or drop it, then run this'
                    ' again.';
    end if;

    raise notice '✓ Pre-flight check passed: The baseline stands, and no name is taken';
end
$$;

create type "MessageRole" as enum (
    'user',
    'assistant',
    'system',
    'tool'
);

create table "Customer" (
    id uuid default gen_random_uuid() constraint "Customer_pkey" primary key,
    name text,
    phone text,
    email text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index "Customer_phone_idx" on "Customer" (phone);
create index "Customer_email_idx" on "Customer" (email);
create index "Customer_created_at_idx" on "Customer" (created_at);

create table "CustomerAddress" (
    id uuid default gen_random_uuid() constraint "CustomerAddress_pkey" primary key,
    customer_id uuid not null
        constraint "CustomerAddress_customer_id_fkey" references "Customer" (id)
        on delete cascade on update cascade,
    address text not null,
    city text,
    state text,
    zip text,
    lat double precision,
    lng double precision,
    is_primary boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index "CustomerAddress_customer_id_idx" on "CustomerAddress" (customer_id);
create index "CustomerAddress_customer_id_is_primary_idx"
    on "CustomerAddress" (customer_id, is_primary);

create table "Conversation" (
    id uuid default gen_random_uuid() constraint "Conversation_pkey" primary key,
    customer_id uuid
        constraint "Conversation_customer_id_fkey" references "Customer" (id)
        on delete set null on update cascade,
    lead_id uuid
        constraint "Conversation_lead_id_fkey" references "Lead" (id)
        on delete set null on update cascade,
    channel "Channel" not null,
    external_id text,
    started_at timestamptz not null default now(),
    last_message_at timestamptz,
    metadata jsonb not null default '{}',
    constraint "Conversation_channel_external_id_key" unique (channel, external_id)
);

create index "Conversation_customer_id_idx" on "Conversation" (customer_id);
create index "Conversation_lead_id_idx" on "Conversation" (lead_id);
create index "Conversation_last_message_at_idx" on "Conversation" (last_message_at);
create index "Conversation_started_at_idx" on "Conversation" (started_at);

create table "Message" (
    id uuid default gen_random_uuid() constraint "Message_pkey" primary key,
    conversation_id uuid not null
        constraint "Message_conversation_id_fkey" references "Conversation" (id)
        on delete cascade on update cascade,
    role "MessageRole" not null,
    content text not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create index "Message_conversation_id_idx" on "Message" (conversation_id);
create index "Message_conversation_id_created_at_idx" on "Message" (conversation_id, created_at);
create index "Message_created_at_idx" on "Message" (created_at);

create table "MemoryNote" (
    id uuid default gen_random_uuid() constraint "MemoryNote_pkey" primary key,
    customer_id uuid not null
        constraint "MemoryNote_customer_id_fkey" references "Customer" (id)
        on delete cascade on update cascade,
    conversation_id uuid,
    content text not null,
    metadata jsonb not null default '{}',
    expires_at timestamptz,
    created_at timestamptz not null default now()
);

create index "MemoryNote_customer_id_idx" on "MemoryNote" (customer_id);
create index "MemoryNote_conversation_id_idx" on "MemoryNote" (conversation_id);
create index "MemoryNote_created_at_idx" on "MemoryNote" (created_at);
create index "MemoryNote_expires_at_idx" on "MemoryNote" (expires_at);

create table "JobItem" (
    id uuid default gen_random_uuid() constraint "JobItem_pkey" primary key,
    job_id uuid not null
        constraint "JobItem_job_id_fkey" references "Job" (id)
        on delete cascade on update cascade,
    description text not null,
    quantity integer not null,
    unit_price numeric(10, 2) not null,
    total numeric(10, 2) not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create index "JobItem_job_id_idx" on "JobItem" (job_id);

create table "JobEvent" (
    id uuid default gen_random_uuid() constraint "JobEvent_pkey" primary key,
    job_id uuid not null
        constraint "JobEvent_job_id_fkey" references "Job" (id)
        on delete cascade on update cascade,
    event_type text not null,
    actor text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create index "JobEvent_job_id_idx" on "JobEvent" (job_id);
create index "JobEvent_job_id_created_at_idx" on "JobEvent" (job_id, created_at);
create index "JobEvent_event_type_idx" on "JobEvent" (event_type);

-- A foreign key declared with its new, empty column needs no scan of the table.
alter table "Lead"
    add column customer_id uuid
        constraint "Lead_customer_id_fkey" references "Customer" (id)
        on delete set null on update cascade;

create index "Lead_customer_id_idx" on "Lead" (customer_id);

alter table "Job"
    add column customer_id uuid
        constraint "Job_customer_id_fkey" references "Customer" (id)
        on delete set null on update cascade;

create index "Job_customer_id_idx" on "Job" (customer_id);

do $$
begin
    raise notice '✓ Enum created: MessageRole';
    raise notice '✓ Tables created: Customer, CustomerAddress, Conversation, Message, MemoryNote,'
        ' JobItem, JobEvent';
    raise notice '✓ Nullable links added: Lead.customer_id, Job.customer_id';
end
$$;

commit;
