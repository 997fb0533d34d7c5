-- Every lead and every job has a customer, and a customer that has one cannot be deleted.
-- requires: 03_backfill_customers
-- present: (select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull)

begin;

set local search_path = public;
set local client_min_messages = notice;
set local row_security = off;

do $$
declare
    leads bigint := 0;
    jobs bigint := 0;
    backfilled constant boolean := to_regclass('backfill.customer_backfill') is not null;
    problems text;
begin
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true then
        raise exception 'Cannot tighten constraints: 01_add_memory_entities and'
            ' 03_backfill_customers are not applied'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run the migrations of batches 1 and 3 first, in their order.';
    end if;

    if (select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull) then
        if exists (
            select
            from pg_catalog.pg_attribute as a
            where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
                and a.attname = 'customer_id'
                and not a.attnotnull
        ) then
            raise exception 'Cannot tighten constraints: one of "Lead".customer_id and'
                ' "Job".customer_id is NOT NULL already, the other is not'
                using
                    errcode = 'object_not_in_prerequisite_state',
                    hint = 'This batch tightens both at once. Run alter table "Lead" alter column'
                        ' customer_id drop not null; or the same on "Job"; then this again.';
        end if;
        raise exception 'Cannot tighten constraints: 07_tighten_constraints is already applied'
            using
                errcode = 'duplicate_object',
                hint = 'There is nothing to run; sql/07_tighten_constraints/validation.sql'
                    ' proves that all of it stands.';
    end if;

    if exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
            and c.conname in (
                'Lead_customer_id_present',
                'Lead_customer_id_fkey_restrict',
                'Job_customer_id_present',
                'Job_customer_id_fkey_restrict'
            )
    ) then
        raise exception 'Cannot tighten constraints: migration.online.sql was begun, not finished'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run sql/07_tighten_constraints/migration.online.sql again to finish it,'
                    ' or rollback.sql beside it to take it back.';
    end if;

    if (
        select count(*)
        from pg_catalog.pg_constraint as c
        where c.conrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
            and c.conname in ('Lead_customer_id_fkey', 'Job_customer_id_fkey')
            and c.confrelid = to_regclass('public."Customer"')
            and c.confdeltype = 'n'
    ) <> 2 then
        raise exception 'Cannot tighten constraints: "Lead_customer_id_fkey" and'
            ' "Job_customer_id_fkey" are not the foreign keys that 01_add_memory_entities made'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'This batch replaces them, and its rollback restores them. Make them again'
                    ' as sql/01_add_memory_entities/migration.sql does, then run this again.';
    end if;

    select count(*) into leads from "Lead" as l where l.customer_id is null;
    select count(*) into jobs from "Job" as j where j.customer_id is null;

    problems := nullif(
        concat_ws(
            ', ',
            case
                when leads = 1 then '1 lead has NULL customer_id'
                when leads > 1 then format('%s leads have NULL customer_id', leads)
            end,
            case
                when jobs = 1 then '1 job has NULL customer_id'
                when jobs > 1 then format('%s jobs have NULL customer_id', jobs)
            end,
            case
                when not backfilled then '03_backfill_customers is not applied'
            end
        ),
        ''
    );

    if problems is not null then
        raise exception 'Cannot tighten constraints: %', problems
            using
                errcode = case
                    when backfilled then 'not_null_violation'
                    else 'object_not_in_prerequisite_state'
                end,
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/03_backfill_customers/migration.sql, then this again.';
    end if;

    raise notice '✓ Pre-flight check passed: All leads and jobs have customer_id';
end
$$;

alter table "Lead" alter column customer_id set not null;

alter table "Lead"
    drop constraint "Lead_customer_id_fkey",
    add constraint "Lead_customer_id_fkey" foreign key (customer_id) references "Customer" (id)
        on delete restrict on update cascade;

do $$
begin
    raise notice '✓ Lead.customer_id is now NOT NULL';
end
$$;

alter table "Job" alter column customer_id set not null;

alter table "Job"
    drop constraint "Job_customer_id_fkey",
    add constraint "Job_customer_id_fkey" foreign key (customer_id) references "Customer" (id)
        on delete restrict on update cascade;

do $$
begin
    raise notice '✓ Job.customer_id is now NOT NULL';
end
$$;

do $$
declare
    columns integer;
begin
    select count(*)
    into columns
    from pg_catalog.pg_attribute as a
    where a.attrelid in ('"Lead"'::regclass, '"Job"'::regclass)
        and a.attname = 'customer_id'
        and a.attnotnull;

    if columns <> 2 then
        raise exception 'Cannot tighten constraints: % of 2 columns became NOT NULL', columns
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Nothing was changed. Look for an event trigger that alters what is made.';
    end if;

    raise notice '✓ Verification passed: Both constraints in place

=== Batch 7 Migration Complete ===

Changes applied:
  ✓ Lead.customer_id SET NOT NULL
  ✓ Job.customer_id SET NOT NULL

Impact:
  - New leads MUST have customer_id
  - New jobs MUST have customer_id
  - Database enforces customer relationship';
end
$$;

commit;
