-- The schema of migration.sql stands, and leads and jobs were read and written while it was made.
-- transaction: none

\set ON_ERROR_STOP on

set search_path = public, pg_temp;
set client_min_messages = notice;
set quote_all_identifiers = off;
set row_security = off;

-- Each step asks what stands already, so that this file can be run again after any interruption.
do $$
declare
    begun boolean;
    taken text;
    standing text;
begin
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true
        or to_regclass('public."Lead"') is null
        or to_regclass('public."Job"') is null
    then
        raise exception 'Cannot tighten constraints: 01_add_memory_entities and'
            ' 03_backfill_customers are not applied'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run the migrations of batches 1 and 3 first, in their order.';
    end if;

    select
        count(*) filter (where f.definition = e.definition) > 0,
        string_agg(format('%I', e.name), ', ' order by e.name)
            filter (where f.definition <> e.definition)
    into begun, taken
    from (
        values
            ('"Lead"', 'Lead_customer_id_present', 'CHECK ((customer_id IS NOT NULL))'),
            (
                '"Lead"',
                'Lead_customer_id_fkey_restrict',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE RESTRICT'
            ),
            ('"Job"', 'Job_customer_id_present', 'CHECK ((customer_id IS NOT NULL))'),
            (
                '"Job"',
                'Job_customer_id_fkey_restrict',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE RESTRICT'
            )
    ) as e (of_table, name, definition)
    cross join lateral (
        select regexp_replace(pg_catalog.pg_get_constraintdef(c.oid), ' NOT VALID$', '')
            as definition
        from pg_catalog.pg_constraint as c
        where c.conrelid = to_regclass(e.of_table)
            and c.conname = e.name
    ) as f;

    if not begun and (select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull) then
        raise exception 'Cannot tighten constraints: 07_tighten_constraints is already applied'
            using
                errcode = 'duplicate_object',
                hint = 'There is nothing to run; sql/07_tighten_constraints/validation.sql'
                    ' proves that all of it stands.';
    end if;

    if taken is not null then
        raise exception 'Cannot tighten constraints: % already exists and was not made'
            ' by this batch', taken
            using
                errcode = 'duplicate_object',
                hint = 'Rename or drop it, then run this again.';
    end if;

    select string_agg(
        a.attrelid::regclass || '.customer_id',
        ', '
        order by a.attrelid::regclass::text
    )
    into standing
    from pg_catalog.pg_attribute as a
    where a.attrelid in ('"Lead"'::regclass, '"Job"'::regclass)
        and a.attname = 'customer_id'
        and a.attnotnull;

    if standing is not null then
        raise exception 'Cannot tighten constraints: % is NOT NULL already', standing
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'This batch did not make it so, and its rollback would undo it. Run alter'
                    ' table … alter column customer_id drop not null, then this again.';
    end if;

    select string_agg(
        format('%I: %s', e.name, coalesce(f.definition, 'missing')),
        chr(10)
        order by e.name
    )
    into standing
    from (
        values
            ('"Lead"', 'Lead_customer_id_fkey'),
            ('"Job"', 'Job_customer_id_fkey')
    ) as e (of_table, name)
    left join lateral (
        select pg_catalog.concat_ws(
            ' ',
            pg_catalog.pg_get_constraintdef(c.oid),
            'COMMENT ' || quote_literal(obj_description(c.oid, 'pg_constraint'))
        ) as definition
        from pg_catalog.pg_constraint as c
        where c.conrelid = to_regclass(e.of_table)
            and c.conname = e.name
    ) as f
        on true
    where f.definition is distinct from 'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
        ' ON UPDATE CASCADE ON DELETE SET NULL';

    if standing is not null then
        raise exception 'Cannot tighten constraints: "Lead_customer_id_fkey" and'
            ' "Job_customer_id_fkey" are not the foreign keys that 01_add_memory_entities made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format('Found: %s', standing),
                hint = 'This batch replaces them, and its rollback restores them. Make them again'
                    ' as sql/01_add_memory_entities/migration.sql does, without a comment, then'
                    ' run this again.';
    end if;
end
$$;

do $$
declare
    leads bigint := 0;
    jobs bigint := 0;
    backfilled constant boolean := to_regclass('backfill.customer_backfill') is not null
        and to_regclass('backfill.customer_backfill_run') is null;
    problems text;
begin
    select count(*) into leads from "Lead" as l where l.customer_id is null;
    select count(*) into jobs from "Job" as j where j.customer_id is null;

    problems := nullif(
        pg_catalog.concat_ws(
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

begin;

-- Writers take these tables in orders of their own, and whoever holds one and waits for another is
-- half a deadlock; and whoever comes next waits behind this. So all is given back and asked for
-- again after 10 ms, later after a fiftieth of the time that has passed.
do $$
declare
    patience constant integer := (
        select nullif(s.setting, '0')
        from pg_catalog.pg_settings as s
        where s.name = 'lock_timeout'
    );
    asked constant timestamptz := clock_timestamp();
    passed integer := 0;
    statement text;
begin
    loop
        begin
            perform set_config(
                'lock_timeout',
                least(greatest(10, passed / 50), 400, patience)::text,
                true
            );
            lock table "Customer" in share row exclusive mode;
            lock table "Lead", "Job" in access exclusive mode;
            exit;
        exception
            when lock_not_available then
                passed := 1000 * extract(epoch from clock_timestamp() - asked);
                if passed >= patience then
                    raise;
                end if;
        end;
    end loop;

    -- From here on no new row can break what the old rows are about to be checked for. All of it is
    -- one statement, so that nobody waits for the way between client and server.
    for statement in
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
    loop
        execute statement;
    end loop;
end
$$;

commit;

-- These scan, and lock out neither readers nor writers; what is validated already is not scanned.
alter table public."Lead" validate constraint "Lead_customer_id_present";

alter table public."Lead" validate constraint "Lead_customer_id_fkey_restrict";

alter table public."Job" validate constraint "Job_customer_id_present";

alter table public."Job" validate constraint "Job_customer_id_fkey_restrict";

-- The validated checks prove what SET NOT NULL asks, so it does not scan.
begin;

do $$
declare
    patience constant integer := (
        select nullif(s.setting, '0')
        from pg_catalog.pg_settings as s
        where s.name = 'lock_timeout'
    );
    asked constant timestamptz := clock_timestamp();
    passed integer := 0;
begin
    loop
        begin
            perform set_config(
                'lock_timeout',
                least(greatest(10, passed / 50), 400, patience)::text,
                true
            );
            lock table "Customer" in access exclusive mode;
            lock table "Lead", "Job" in access exclusive mode;
            exit;
        exception
            when lock_not_available then
                passed := 1000 * extract(epoch from clock_timestamp() - asked);
                if passed >= patience then
                    raise;
                end if;
        end;
    end loop;

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
end
$$;

do $$
declare
    differing text;
begin
    select string_agg(e.of_table || '.customer_id', ', ' order by e.of_table)
    into differing
    from (
        values
            ('"Lead"', 'Lead_customer_id_fkey'),
            ('"Job"', 'Job_customer_id_fkey')
    ) as e (of_table, name)
    where not exists (
        select
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_constraint as c
            on c.conrelid = a.attrelid
        where a.attrelid = to_regclass(e.of_table)
            and a.attname = 'customer_id'
            and a.attnotnull
            and c.conname = e.name
            and pg_catalog.pg_get_constraintdef(c.oid) = 'FOREIGN KEY (customer_id)'
                ' REFERENCES "Customer"(id) ON UPDATE CASCADE ON DELETE RESTRICT'
    );

    if differing is not null then
        raise exception 'Cannot tighten constraints: % did not become NOT NULL and restricting',
            differing
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'This step was taken back. Look for an event trigger that alters'
                    ' what is made.';
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

commit;

reset search_path;
reset client_min_messages;
reset quote_all_identifiers;
reset row_security;
