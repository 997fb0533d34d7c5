-- No row is lost; leads and jobs may stand without a customer again, and lose one that is deleted.

\set ON_ERROR_STOP on

begin;

set local search_path = public;
set local client_min_messages = notice;

do $$
declare
    begun constant boolean := exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
            and c.conname in (
                'Lead_customer_id_present',
                'Lead_customer_id_fkey_restrict',
                'Job_customer_id_present',
                'Job_customer_id_fkey_restrict'
            )
    );
begin
    if begun then
        raise notice '✓ Taking back an interrupted run of migration.online.sql';
        return;
    end if;

    if ((select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull)) is not true then
        raise exception 'Cannot roll back 07_tighten_constraints: it is not applied'
            using
                errcode = 'undefined_object',
                hint = 'There is nothing to roll back.';
    end if;

    if (
        select count(*)
        from pg_catalog.pg_constraint as c
        where c.conrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
            and c.conname in ('Lead_customer_id_fkey', 'Job_customer_id_fkey')
            and c.confrelid = to_regclass('public."Customer"')
            and c.confdeltype = 'r'
    ) <> 2 then
        raise exception 'Cannot roll back 07_tighten_constraints: what stands is not what it made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = '"Lead_customer_id_fkey" and "Job_customer_id_fkey" do not both restrict.',
                hint = 'Make the foreign key again as the batch''s migration.sql does, or take away'
                    ' by hand what is left.';
    end if;
end
$$;

-- Constraints that an interrupted online run left; a finished one leaves none.
set local client_min_messages = warning;

alter table "Lead"
    drop constraint if exists "Lead_customer_id_present",
    drop constraint if exists "Lead_customer_id_fkey_restrict";

alter table "Job"
    drop constraint if exists "Job_customer_id_present",
    drop constraint if exists "Job_customer_id_fkey_restrict";

set local client_min_messages = notice;

alter table "Lead"
    alter column customer_id drop not null,
    drop constraint "Lead_customer_id_fkey",
    add constraint "Lead_customer_id_fkey" foreign key (customer_id) references "Customer" (id)
        on delete set null on update cascade;

alter table "Job"
    alter column customer_id drop not null,
    drop constraint "Job_customer_id_fkey",
    add constraint "Job_customer_id_fkey" foreign key (customer_id) references "Customer" (id)
        on delete set null on update cascade;

do $$
begin
    raise notice '✓ Lead.customer_id is nullable again';
    raise notice '✓ Job.customer_id is nullable again';
    raise notice '✓ Deleting a customer unlinks its leads and jobs again';
end
$$;

commit;
