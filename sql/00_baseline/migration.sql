-- Leads, their jobs and the audit trail stand as they did before the first batch.
-- irreversible: Nothing stood before the baseline; to undo it is to drop the database.
-- present: to_regclass('public."Lead"') is not null and to_regclass('public."Job"') is not null and to_regclass('public."Audit"') is not null

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;

do $$
declare
    names text;
begin
    if to_regclass('public."Lead"') is not null and to_regclass('public."Job"') is not null and to_regclass('public."Audit"') is not null then
        raise exception 'Cannot lay the baseline: "Lead" already exists'
            using
                errcode = 'duplicate_table',
                hint = '00_baseline is already applied, or the application made the tables itself.'
                    ' There is nothing to run.';
    end if;

    select string_agg(n.name, ', ' order by n.name)
    into names
    from (
        select pg_describe_object('pg_class'::regclass, c.oid, 0) as name
        from pg_catalog.pg_class as c
        where c.relnamespace = 'public'::regnamespace
            and c.relname in (
                'Lead',
                'Job',
                'Audit',
                'Audit_created_at_idx',
                'Audit_lead_id_idx',
                'Audit_pkey',
                'Job_created_at_idx',
                'Job_lead_id_idx',
                'Job_pkey',
                'Job_status_idx',
                'Lead_channel_idx',
                'Lead_created_at_idx',
                'Lead_pkey'
            )
        union all
        select pg_describe_object('pg_type'::regclass, y.oid, 0)
        from pg_catalog.pg_type as y
        where y.typnamespace = 'public'::regnamespace
            and y.typname in ('Channel', 'JobStatus', 'Lead', 'Job', 'Audit')
            and y.typrelid = 0
    ) as n;

    if names is not null then
        raise exception 'Cannot lay the baseline: % already exists', names
            using
                errcode = 'duplicate_object',
                hint = 'The baseline is the tables "Lead", "Job" and "Audit" together. Make those'
                    ' that are missing as this file does, or rename what is in the way and run'
                    ' this again.';
    end if;
end
$$;

create type "Channel" as enum (
    'messenger',
    'sms'
);

create type "JobStatus" as enum (
    'tentative',
    'booked',
    'completed',
    'cancelled'
);

create table "Lead" (
    id uuid default gen_random_uuid() constraint "Lead_pkey" primary key,
    channel "Channel" not null,
    name text,
    "messengerPsid" text,
    phone text,
    email text,
    "stateMetadata" jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index "Lead_channel_idx" on "Lead" (channel);
create index "Lead_created_at_idx" on "Lead" (created_at);

create table "Job" (
    id uuid default gen_random_uuid() constraint "Job_pkey" primary key,
    lead_id uuid not null
        constraint "Job_lead_id_fkey" references "Lead" (id)
        on delete cascade on update cascade,
    window_start timestamptz not null,
    window_end timestamptz not null,
    status "JobStatus" not null default 'tentative',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index "Job_lead_id_idx" on "Job" (lead_id);
create index "Job_status_idx" on "Job" (status);
create index "Job_created_at_idx" on "Job" (created_at);

create table "Audit" (
    id uuid default gen_random_uuid() constraint "Audit_pkey" primary key,
    lead_id uuid
        constraint "Audit_lead_id_fkey" references "Lead" (id)
        on delete set null on update cascade,
    actor text not null,
    action text not null,
    payload jsonb not null,
    created_at timestamptz not null default now()
);

create index "Audit_lead_id_idx" on "Audit" (lead_id);
create index "Audit_created_at_idx" on "Audit" (created_at);

do $$
begin
    raise notice '✓ Baseline laid: Lead, Job, Audit';
end
$$;

commit;
