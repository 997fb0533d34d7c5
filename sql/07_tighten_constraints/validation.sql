-- No lead and no job can be without a customer, and a customer that has one cannot be deleted.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $$
declare
    nullable text;
begin
    raise notice '=== TEST 1: Verify NOT NULL Constraints ===';

    select string_agg(e.name || '.customer_id', ', ' order by e.name)
    into nullable
    from (values ('"Lead"'), ('"Job"')) as e (name)
    where not exists (
        select
        from pg_catalog.pg_attribute as a
        where a.attrelid = to_regclass(e.name)
            and a.attname = 'customer_id'
            and a.attnotnull
            -- From version 18 a NOT NULL may be there and not be validated.
            and not exists (
                select
                from pg_catalog.pg_constraint as c
                where c.conrelid = a.attrelid
                    and c.contype = 'n'
                    and c.conkey = array[a.attnum]
                    and not c.convalidated
            )
    );

    if nullable is not null then
        raise exception 'Batch 7 is not valid: NOT NULL is missing on %', nullable
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Was sql/07_tighten_constraints/migration.sql applied?';
    end if;

    raise notice '✓ PASS: NOT NULL enforced (both tables)';
end
$$;

savepoint before_probing;

do $$
declare
    violated text;
begin
    raise notice '=== TEST 2: Reject Lead Without customer_id ===';

    begin
        insert into "Lead" (channel, name) values ('messenger', 'Probe');
        raise exception 'Batch 7 is not valid: a lead without customer_id was accepted';
    exception
        when not_null_violation then
            get stacked diagnostics violated = column_name;
            if violated <> 'customer_id' then
                raise;
            end if;
    end;

    raise notice '✓ PASS: Lead insertion rejected (constraint working)';
end
$$;

do $$
declare
    customer uuid;
    lead uuid;
    violated text;
begin
    raise notice '=== TEST 3: Reject Job Without customer_id ===';

    insert into "Customer" (name) values ('Probe') returning id into customer;
    insert into "Lead" (channel, customer_id) values ('messenger', customer) returning id into lead;

    begin
        insert into "Job" (lead_id, window_start, window_end) values (lead, now(), now());
        raise exception 'Batch 7 is not valid: a job without customer_id was accepted';
    exception
        when not_null_violation then
            get stacked diagnostics violated = column_name;
            if violated <> 'customer_id' then
                raise;
            end if;
    end;

    raise notice '✓ PASS: Job insertion rejected (constraint working)';
end
$$;

do $$
declare
    customer uuid;
begin
    raise notice '=== TEST 4: Allow Lead WITH customer_id ===';

    insert into "Customer" (name) values ('Probe') returning id into customer;
    insert into "Lead" (channel, customer_id) values ('messenger', customer);

    raise notice '✓ PASS: Lead with customer_id inserted successfully';
end
$$;

do $$
declare
    customer uuid;
    lead uuid;
begin
    raise notice '=== TEST 5: Allow Job WITH customer_id ===';

    insert into "Customer" (name) values ('Probe') returning id into customer;
    insert into "Lead" (channel, customer_id) values ('messenger', customer) returning id into lead;
    insert into "Job" (lead_id, customer_id, window_start, window_end)
    values (lead, customer, now(), now());

    raise notice '✓ PASS: Job with customer_id inserted successfully';
end
$$;

do $$
declare
    customer uuid;
    lead uuid;
    job uuid;
    violated text;
begin
    raise notice '=== TEST 6: Reject UPDATE to NULL customer_id ===';

    insert into "Customer" (name) values ('Probe') returning id into customer;
    insert into "Lead" (channel, customer_id) values ('messenger', customer) returning id into lead;
    insert into "Job" (lead_id, customer_id, window_start, window_end)
    values (lead, customer, now(), now())
    returning id into job;

    begin
        update "Lead" set customer_id = null where id = lead;
        raise exception 'Batch 7 is not valid: a lead lost its customer_id by an update';
    exception
        when not_null_violation then
            get stacked diagnostics violated = column_name;
            if violated <> 'customer_id' then
                raise;
            end if;
    end;

    begin
        update "Job" set customer_id = null where id = job;
        raise exception 'Batch 7 is not valid: a job lost its customer_id by an update';
    exception
        when not_null_violation then
            get stacked diagnostics violated = column_name;
            if violated <> 'customer_id' then
                raise;
            end if;
    end;

    raise notice '✓ PASS: UPDATE to NULL rejected (constraint working)';
end
$$;

-- The rows made above are no existing data.
rollback to savepoint before_probing;

do $$
declare
    leads bigint;
    jobs bigint;
    unlinked bigint;
begin
    raise notice '=== TEST 7: Verify Existing Data Integrity ===';

    select
        count(*),
        count(*) filter (where l.customer_id is null)
    into leads, unlinked
    from "Lead" as l;

    select
        count(*),
        unlinked + count(*) filter (where j.customer_id is null)
    into jobs, unlinked
    from "Job" as j;

    if unlinked > 0 then
        raise exception 'Batch 7 is not valid: % existing leads or jobs have no customer_id',
            unlinked;
    end if;

    if leads + jobs > 0 then
        raise notice '✓ PASS: All existing records have customer_id';
    end if;
    if leads = 0 then
        raise notice 'Leads: not exercised, there are none';
    end if;
    if jobs = 0 then
        raise notice 'Jobs: not exercised, there are none';
    end if;
end
$$;

do $$
declare
    differing text;
begin
    raise notice '=== TEST 8: Verify Foreign Keys ===';

    select string_agg(
        format('%s: expected %s; found %s', e.name, e.definition, coalesce(f.definition, 'nothing')),
        chr(10)
        order by e.name
    )
    into differing
    from (
        values
            (
                '"Lead"',
                'Lead_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE RESTRICT'
            ),
            (
                '"Job"',
                'Job_customer_id_fkey',
                'FOREIGN KEY (customer_id) REFERENCES "Customer"(id)'
                    ' ON UPDATE CASCADE ON DELETE RESTRICT'
            ),
            ('"Lead"', 'Lead_customer_id_present', null),
            ('"Lead"', 'Lead_customer_id_fkey_restrict', null),
            ('"Job"', 'Job_customer_id_present', null),
            ('"Job"', 'Job_customer_id_fkey_restrict', null)
    ) as e (of_table, name, definition)
    left join lateral (
        select pg_catalog.pg_get_constraintdef(c.oid) as definition
        from pg_catalog.pg_constraint as c
        where c.conrelid = to_regclass(e.of_table)
            and c.conname = e.name
    ) as f
        on true
    where f.definition is distinct from e.definition;

    if differing is not null then
        raise exception 'Batch 7 is not valid: constraints differ'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Compare them with sql/07_tighten_constraints/migration.sql.';
    end if;

    raise notice '✓ PASS: Both foreign keys restrict, and no helper constraint is left';
end
$$;

do $$
declare
    lead_customer uuid;
    job_customer uuid;
    lead uuid;
    violated text;
begin
    raise notice '=== TEST 9: Reject Deleting a Customer in Use ===';

    insert into "Customer" (name) values ('Probe') returning id into lead_customer;
    insert into "Customer" (name) values ('Probe') returning id into job_customer;
    insert into "Lead" (channel, customer_id)
    values ('messenger', lead_customer)
    returning id into lead;
    insert into "Job" (lead_id, customer_id, window_start, window_end)
    values (lead, job_customer, now(), now());

    begin
        delete from "Customer" where id = lead_customer;
        raise exception 'Batch 7 is not valid: a customer that has a lead was deleted';
    exception
        when foreign_key_violation or restrict_violation then
            get stacked diagnostics violated = constraint_name;
            if violated <> 'Lead_customer_id_fkey' then
                raise;
            end if;
    end;

    begin
        delete from "Customer" where id = job_customer;
        raise exception 'Batch 7 is not valid: a customer that has a job was deleted';
    exception
        when foreign_key_violation or restrict_violation then
            get stacked diagnostics violated = constraint_name;
            if violated <> 'Job_customer_id_fkey' then
                raise;
            end if;
    end;

    raise notice '✓ PASS: Customers that have leads or jobs cannot be deleted';
end
$$;

rollback;
