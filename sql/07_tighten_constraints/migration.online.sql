-- The schema of migration.sql stands, and leads and jobs were read and written while it was made.
-- transaction: none

\set ON_ERROR_STOP on

set client_min_messages = notice;
set row_security = off;

-- Each step asks what stands already, so that this file can be run again after any interruption.
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

    select count(*) into leads from public."Lead" as l where l.customer_id is null;
    select count(*) into jobs from public."Job" as j where j.customer_id is null;

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

-- From here on no new row can break what the old rows are about to be checked for.
select e.statement
from (
    values
        (
            'public."Lead"',
            'Lead_customer_id_present',
            'alter table public."Lead" add constraint "Lead_customer_id_present"'
                ' check (customer_id is not null) not valid'
        ),
        (
            'public."Lead"',
            'Lead_customer_id_fkey_restrict',
            'alter table public."Lead" add constraint "Lead_customer_id_fkey_restrict"'
                ' foreign key (customer_id) references public."Customer" (id)'
                ' on delete restrict on update cascade not valid'
        ),
        (
            'public."Job"',
            'Job_customer_id_present',
            'alter table public."Job" add constraint "Job_customer_id_present"'
                ' check (customer_id is not null) not valid'
        ),
        (
            'public."Job"',
            'Job_customer_id_fkey_restrict',
            'alter table public."Job" add constraint "Job_customer_id_fkey_restrict"'
                ' foreign key (customer_id) references public."Customer" (id)'
                ' on delete restrict on update cascade not valid'
        )
) as e (of_table, name, statement)
where not exists (
    select
    from pg_catalog.pg_constraint as c
    where c.conrelid = e.of_table::regclass
        and c.conname = e.name
)
order by e.of_table desc, e.name
\gexec

-- These scan, and lock out neither readers nor writers; what is validated already is not scanned.
alter table public."Lead" validate constraint "Lead_customer_id_present";

alter table public."Lead" validate constraint "Lead_customer_id_fkey_restrict";

alter table public."Job" validate constraint "Job_customer_id_present";

alter table public."Job" validate constraint "Job_customer_id_fkey_restrict";

-- The validated checks prove what SET NOT NULL asks, so it does not scan.
begin;

alter table public."Lead" alter column customer_id set not null;

alter table public."Lead"
    drop constraint "Lead_customer_id_present",
    drop constraint "Lead_customer_id_fkey";

alter table public."Lead"
    rename constraint "Lead_customer_id_fkey_restrict" to "Lead_customer_id_fkey";

alter table public."Job" alter column customer_id set not null;

alter table public."Job"
    drop constraint "Job_customer_id_present",
    drop constraint "Job_customer_id_fkey";

alter table public."Job"
    rename constraint "Job_customer_id_fkey_restrict" to "Job_customer_id_fkey";

commit;

do $$
declare
    columns integer;
begin
    select count(*)
    into columns
    from pg_catalog.pg_attribute as a
    where a.attrelid in ('public."Lead"'::regclass, 'public."Job"'::regclass)
        and a.attname = 'customer_id'
        and a.attnotnull;

    if columns <> 2 then
        raise exception 'Cannot tighten constraints: % of 2 columns became NOT NULL', columns
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run sql/07_tighten_constraints/rollback.sql, then this again.';
    end if;

    raise notice '✓ Lead.customer_id is now NOT NULL';
    raise notice '✓ Job.customer_id is now NOT NULL';
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

reset client_min_messages;
reset row_security;
