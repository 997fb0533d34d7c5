-- Lost: the customers that batch 3 made, unless something else refers to them, and its links.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $preflight$
declare
    dependents text;
    required text;
    remedy text;
    strangers text;
begin
    perform pg_advisory_xact_lock(pg_catalog.hashtextextended('backfill', 0));
    if (to_regclass('backfill.customer_backfill') is not null) is not true then
        raise exception 'Cannot roll back 03_backfill_customers: it is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'There is nothing to roll back.';
    end if;
    dependents := pg_catalog.concat_ws(
        ', ',
        case
            when to_regclass('backfill.conversation_backfill') is not null
                then '04_backfill_conversations_messages'
        end,
        case
            when (select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull)
                then '07_tighten_constraints'
            when exists (
                select
                from pg_catalog.pg_constraint as c
                where c.conrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
                    and c.conname in (
                        'Lead_customer_id_present',
                        'Lead_customer_id_fkey_restrict',
                        'Job_customer_id_present',
                        'Job_customer_id_fkey_restrict'
                    )
            )
                then '07_tighten_constraints, whose online route was begun'
        end
    );
    if dependents <> '' then
        raise exception 'Cannot roll back 03_backfill_customers: it is needed by %', dependents
            using errcode = 'dependent_objects_still_exist',
                hint = 'Run the rollback.sql of each of them first, the newest batch first.';
    end if;
    select
        string_agg(
            a.attrelid::regclass::text || '.customer_id',
            ', '
            order by a.attrelid::regclass::text desc
        ),
        string_agg(
            'alter table ' || a.attrelid::regclass::text
                || ' alter column customer_id drop not null',
            '; '
            order by a.attrelid::regclass::text desc
        )
    into required, remedy
    from pg_catalog.pg_attribute as a
    where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"'))
        and a.attname = 'customer_id'
        and a.attnotnull;
    if required is not null then
        raise exception 'Cannot roll back 03_backfill_customers: % is NOT NULL,'
            ' and 07_tighten_constraints is not applied', required
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run ' || remedy || ', then run this again.';
    end if;
    select string_agg(pg_describe_object(d.classid, d.objid, d.objsubid), ', '
        order by d.classid, d.objid)
    into strangers
    from pg_catalog.pg_depend as d
    where d.refclassid = 'pg_catalog.pg_namespace'::regclass
        and d.refobjid = to_regnamespace('backfill')
        and d.objid <> all (array[
            to_regclass('backfill.customer_backfill'),
            coalesce(to_regclass('backfill.customer_backfill_run'), 0)
        ]::oid[]);
    if strangers is not null then
        raise exception 'Cannot roll back 03_backfill_customers: schema backfill holds'
            ' what this batch did not make: %', strangers
            using errcode = 'dependent_objects_still_exist',
                hint = 'Move it to another schema, then run this again.';
    end if;
end
$preflight$;

do $definition$
declare
    made record;
begin
    for made in
        select
            t.name,
            string_agg(d.line, ', ' order by d.place, d.line collate "C") as definition
        from (
            values
                (
                    'backfill.customer_backfill',
                    'entity text not null, id uuid not null, customer_id uuid,'
                        ' CHECK ((entity = ANY (ARRAY[''customer''::text, ''lead''::text,'
                        ' ''job''::text, ''audit''::text]))), PRIMARY KEY (entity, id)'
                ),
                (
                    'backfill.customer_backfill_run',
                    'started_at timestamp with time zone not null,'
                        ' customers_created bigint not null, leads_linked bigint not null,'
                        ' jobs_linked bigint not null'
                )
        ) as t (name, definition)
        cross join lateral (
            select
                a.attnum as place,
                pg_catalog.concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attnotnull then 'not null' end) as line
            from pg_catalog.pg_attribute as a
            where a.attrelid = to_regclass(t.name)
                and a.attnum > 0
                and not a.attisdropped
            union all
            select
                100,
                pg_get_constraintdef(c.oid)
            from pg_catalog.pg_constraint as c
            where c.conrelid = to_regclass(t.name)
                and c.contype <> 'n'
        ) as d
        group by
            t.name,
            t.definition
        having string_agg(d.line, ', ' order by d.place, d.line collate "C") <> t.definition
        order by t.name
    loop
        raise exception 'Cannot roll back 03_backfill_customers: what stands is not what it made'
            using errcode = 'object_not_in_prerequisite_state',
                detail = made.definition,
                hint = 'This batch did not make ' || made.name || ' as it stands.'
                    ' Bring its definition back, then run this again.';
    end loop;
end
$definition$;

-- Writers take a lead and its jobs in orders of their own, and whoever holds one and waits for the
-- other is half a deadlock: so the wait is short, and all is given back before it is asked for again,
-- in the other order, for whoever waits for the first to get it.
do $locked$
declare
    patience constant interval := current_setting('lock_timeout');
    until constant timestamptz := case
        when patience > '0' then clock_timestamp() + patience
        else 'infinity'
    end;
    leads_first boolean := false;
begin
    loop
        begin
            if patience = '0' or patience > '400ms' then
                set local lock_timeout = '400ms';
            end if;
            if leads_first then
                perform
                from "Lead" as l
                join backfill.customer_backfill as r
                    on r.entity = 'lead'
                    and r.id = l.id
                for no key update of l;
            end if;
            perform
            from "Job" as j
            join backfill.customer_backfill as r
                on r.entity = 'job'
                and r.id = j.id
            for no key update of j;
            perform
            from "Lead" as l
            join backfill.customer_backfill as r
                on r.entity = 'lead'
                and r.id = l.id
            for no key update of l;
            exit;
        exception
            when lock_not_available then
                if clock_timestamp() >= until then
                    raise;
                end if;
                leads_first := not leads_first;
        end;
    end loop;
end
$locked$;

do $links$
declare
    leads bigint;
    jobs bigint;
    changed bigint;
    gone bigint;
begin
    select
        count(*) filter (where l.customer_id = r.customer_id),
        count(*) filter (where j.customer_id = r.customer_id),
        count(*) filter (
            where coalesce(l.id, j.id) is not null
                and coalesce(l.customer_id, j.customer_id) is distinct from r.customer_id
        ),
        count(*) filter (where coalesce(l.id, j.id) is null)
    into leads, jobs, changed, gone
    from backfill.customer_backfill as r
    left join "Lead" as l
        on r.entity = 'lead'
        and l.id = r.id
    left join "Job" as j
        on r.entity = 'job'
        and j.id = r.id
    where r.entity in ('lead', 'job');
    raise notice 'Links to undo: % of leads, % of jobs (% changed since, left alone; % gone)',
        leads, jobs, changed, gone;
end
$links$;

do $undo$
declare
    obstacle text;
begin
    update "Job" as j
    set customer_id = null
    from backfill.customer_backfill as r
    where r.entity = 'job'
        and j.id = r.id
        and j.customer_id = r.customer_id;
    update "Lead" as l
    set customer_id = null
    from backfill.customer_backfill as r
    where r.entity = 'lead'
        and l.id = r.id
        and l.customer_id = r.customer_id;
exception
    when check_violation then
        get stacked diagnostics obstacle = constraint_name;
        raise exception 'Cannot roll back 03_backfill_customers: constraint "%" forbids it',
            obstacle
            using errcode = 'check_violation',
                hint = 'This batch did not make it. Drop it, then run this again.';
end
$undo$;

-- Locked, so that nothing can begin to refer to them between the look and the deletion.
create temporary table doomed on commit drop as
with customers as (
    select c.id
    from "Customer" as c
    join backfill.customer_backfill as r
        on r.entity = 'customer'
        and r.id = c.id
    for update of c
),
audits as (
    select a.id
    from "Audit" as a
    join backfill.customer_backfill as r
        on r.entity = 'audit'
        and r.id = a.id
    for update of a
)
select
    '"Customer"'::regclass as home,
    c.id
from customers as c
union all
select
    '"Audit"'::regclass,
    a.id
from audits as a;

analyze pg_temp.doomed;

do $kept$
declare
    reference record;
    made bigint := (select count(*) from pg_temp.doomed where home = '"Customer"'::regclass);
    customers bigint;
    entries bigint;
begin
    for reference in
        select
            c.conrelid::regclass as referrer,
            c.confrelid::regclass as home,
            string_agg(pg_catalog.format('f.%I = h.%I', f.attname, h.attname), ' and ') as is_same
        from pg_catalog.pg_constraint as c
        cross join lateral unnest(c.conkey, c.confkey) as k (referring, referred)
        join pg_catalog.pg_attribute as f
            on f.attrelid = c.conrelid
            and f.attnum = k.referring
        join pg_catalog.pg_attribute as h
            on h.attrelid = c.confrelid
            and h.attnum = k.referred
        where c.contype = 'f'
            and c.confrelid in ('"Customer"'::regclass, '"Audit"'::regclass)
        group by
            c.oid,
            c.conrelid,
            c.confrelid
        order by c.oid
    loop
        execute pg_catalog.format(
            'delete from pg_temp.doomed as d using %s as h'
            ' where d.home = %L::regclass and d.id = h.id'
            ' and exists (select from %s as f where %s)',
            reference.home, reference.home, reference.referrer, reference.is_same
        );
    end loop;
    customers := (select count(*) from pg_temp.doomed where home = '"Customer"'::regclass);
    entries := (select count(*) from pg_temp.doomed where home = '"Audit"'::regclass);
    raise notice 'Customers to delete: % (% stay, something refers to them)',
        customers, made - customers;
    raise notice 'Audit entries to delete, and the record with them: %', entries;
end
$kept$;

delete from "Customer" as c
using pg_temp.doomed as d
where d.home = '"Customer"'::regclass
    and c.id = d.id;

delete from "Audit" as a
using pg_temp.doomed as d
where d.home = '"Audit"'::regclass
    and a.id = d.id;

do $record$
declare
    dependents text;
begin
    -- It stands where an online route was cut off.
    if to_regclass('backfill.customer_backfill_run') is not null then
        drop table backfill.customer_backfill_run;
    end if;
    drop table backfill.customer_backfill;
    drop schema backfill;
exception
    when dependent_objects_still_exist then
        get stacked diagnostics dependents = pg_exception_detail;
        raise exception 'Cannot roll back 03_backfill_customers: something depends on'
            ' backfill.customer_backfill'
            using errcode = 'dependent_objects_still_exist',
                detail = dependents,
                hint = 'This batch did not make it. Drop it, then run this again.';
end
$record$;

commit;
