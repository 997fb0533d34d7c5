-- Leads, their jobs and the audit trail stand as they did before the first batch.
-- irreversible: Nothing stood before the baseline; to undo it is to drop the database.
-- present: to_regclass('public."Lead"') is not null and to_regclass('public."Job"') is not null and to_regclass('public."Audit"') is not null

begin;

set local search_path = public;
set local client_min_messages = notice;

do $$
begin
    if to_regclass('public."Lead"') is not null and to_regclass('public."Job"') is not null and to_regclass('public."Audit"') is not null then
        raise exception 'Cannot lay the baseline: "Lead" already exists'
            using
                errcode = 'duplicate_table',
                hint = '00_baseline is already applied, or the application made the table itself.'
                    ' There is nothing to run.';
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
