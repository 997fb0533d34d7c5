-- No row is lost; leads and jobs may stand without a customer again, and lose one that is deleted.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;

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
    if to_regclass('public."Customer"') is null
        or to_regclass('public."Lead"') is null
        or to_regclass('public."Job"') is null
        or not exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
            and (
                c.confdeltype = 'r'
                or c.conname in ('Lead_customer_id_present', 'Job_customer_id_present')
            )
    )
    then
        return;
    end if;

    loop
        begin
            lock table "Customer" in access exclusive mode;
            set local lock_timeout = '400ms';
            lock table "Lead", "Job" in access exclusive mode;
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
    applied constant boolean := (select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull);
    begun boolean;
    taken text;
    touched boolean;
    differing text;
begin
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

    if taken is not null and (begun or applied is not true) then
        raise exception 'Cannot roll back 07_tighten_constraints: % already exists and was not made'
            ' by this batch', taken
            using
                errcode = 'duplicate_object',
                hint = 'Rename or drop it, then run this again.';
    end if;

    if begun then
        alter table "Lead"
            drop constraint if exists "Lead_customer_id_present",
            drop constraint if exists "Lead_customer_id_fkey_restrict";
        alter table "Job"
            drop constraint if exists "Job_customer_id_present",
            drop constraint if exists "Job_customer_id_fkey_restrict";
        raise notice '✓ Taken back: The constraints that migration.online.sql had added';
        return;
    end if;

    select
        bool_or(f.definition like 'NOT NULL%' or f.definition like '%RESTRICT%'),
        string_agg(e.of_table || '.customer_id: ' || f.definition, chr(10) order by e.of_table)
            filter (
                where f.definition <> 'NOT NULL, FOREIGN KEY (customer_id)'
                    ' REFERENCES "Customer"(id) ON UPDATE CASCADE ON DELETE RESTRICT'
            )
    into touched, differing
    from (
        values
            ('"Lead"', 'Lead_customer_id_fkey'),
            ('"Job"', 'Job_customer_id_fkey')
    ) as e (of_table, name)
    cross join lateral (
        select pg_catalog.concat_ws(
            ', ',
            case when a.attnotnull then 'NOT NULL' else 'nullable' end,
            coalesce(pg_catalog.pg_get_constraintdef(c.oid), 'no ' || quote_ident(e.name)),
            'COMMENT ' || quote_literal(obj_description(c.oid, 'pg_constraint'))
        ) as definition
        from pg_catalog.pg_attribute as a
        left join pg_catalog.pg_constraint as c
            on c.conrelid = a.attrelid
            and c.conname = e.name
        where a.attrelid = to_regclass(e.of_table)
            and a.attname = 'customer_id'
    ) as f;

    if applied is not true and touched is not true then
        raise exception 'Cannot roll back 07_tighten_constraints: it is not applied'
            using
                errcode = 'undefined_object',
                hint = 'There is nothing to roll back.';
    end if;

    if differing is not null then
        raise exception 'Cannot roll back 07_tighten_constraints: what stands is not what it made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'This batch makes both columns NOT NULL, and their foreign keys on update'
                    ' cascade on delete restrict, without a comment. Make them so again, or take'
                    ' away by hand what is left.';
    end if;

    alter table "Lead"
        alter column customer_id drop not null,
        drop constraint "Lead_customer_id_fkey",
        add constraint "Lead_customer_id_fkey" foreign key (customer_id)
            references "Customer" (id) on delete set null on update cascade;

    alter table "Job"
        alter column customer_id drop not null,
        drop constraint "Job_customer_id_fkey",
        add constraint "Job_customer_id_fkey" foreign key (customer_id)
            references "Customer" (id) on delete set null on update cascade;

    raise notice '✓ Lead.customer_id is nullable again';
    raise notice '✓ Job.customer_id is nullable again';
    raise notice '✓ Deleting a customer unlinks its leads and jobs again';
end
$$;

commit;
