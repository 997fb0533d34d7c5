-- Lost: the customers that batch 3 made, unless something else refers to them, and its links.

\set ON_ERROR_STOP on

begin;

set local search_path = public;
set local client_min_messages = notice;

do $preflight$
declare
    dependent text;
    strangers text;
begin
    perform pg_advisory_xact_lock(hashtextextended('backfill', 0));
    if (to_regclass('backfill.customer_backfill') is not null) is not true then
        raise exception 'Cannot roll back customers: 03_backfill_customers is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'There is nothing to roll back.';
    end if;
    dependent := case
        when to_regclass('backfill.conversation_backfill') is not null
            then '04_backfill_conversations_messages'
        when exists (select from pg_catalog.pg_attribute where attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and attname = 'customer_id' and attnotnull)
            then '07_tighten_constraints'
    end;
    if dependent is not null then
        raise exception 'Cannot roll back customers: % still stands', dependent
            using errcode = 'dependent_objects_still_exist',
                hint = format('Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/%s/rollback.sql first.', dependent);
    end if;
    select string_agg(pg_describe_object(d.classid, d.objid, d.objsubid), ', '
        order by d.classid, d.objid)
    into strangers
    from pg_catalog.pg_depend as d
    where d.refclassid = 'pg_catalog.pg_namespace'::regclass
        and d.refobjid = to_regnamespace('backfill')
        and d.objid <> to_regclass('backfill.customer_backfill');
    if strangers is not null then
        raise exception 'Cannot roll back customers: schema backfill holds what is not'
            ' this batch''s: %', strangers
            using errcode = 'dependent_objects_still_exist',
                hint = 'Move it to another schema, then run this again.';
    end if;
end
$preflight$;

do $links$
declare
    leads bigint;
    jobs bigint;
    elsewhere bigint;
begin
    select
        count(*) filter (where l.customer_id = r.customer_id),
        count(*) filter (where j.customer_id = r.customer_id),
        count(*) filter (where coalesce(l.customer_id, j.customer_id) is distinct from r.customer_id)
    into leads, jobs, elsewhere
    from backfill.customer_backfill as r
    left join "Lead" as l
        on r.entity = 'lead'
        and l.id = r.id
    left join "Job" as j
        on r.entity = 'job'
        and j.id = r.id
    where r.entity in ('lead', 'job');
    raise notice 'Undoing the links of % lead(s) and % job(s); % changed or gone since stay as they are',
        leads, jobs, elsewhere;
end
$links$;

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

analyze doomed;

do $kept$
declare
    reference record;
    made bigint := (select count(*) from doomed where home = '"Customer"'::regclass);
    customers bigint;
    entries bigint;
begin
    for reference in
        select
            c.conrelid::regclass as referrer,
            c.confrelid::regclass as home,
            string_agg(format('f.%I = h.%I', f.attname, h.attname), ' and ') as is_same
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
        execute format(
            'delete from doomed as d using %s as h where d.home = %L::regclass and d.id = h.id'
            ' and exists (select from %s as f where %s)',
            reference.home, reference.home, reference.referrer, reference.is_same
        );
    end loop;
    customers := (select count(*) from doomed where home = '"Customer"'::regclass);
    entries := (select count(*) from doomed where home = '"Audit"'::regclass);
    raise notice 'Deleting % customer(s) that the backfill made; % stay, since something refers to them',
        customers, made - customers;
    raise notice 'Deleting % audit log entry(s) and the record', entries;
end
$kept$;

delete from "Customer" as c
using doomed as d
where d.home = '"Customer"'::regclass
    and c.id = d.id;

delete from "Audit" as a
using doomed as d
where d.home = '"Audit"'::regclass
    and a.id = d.id;

drop table backfill.customer_backfill;
drop schema backfill;

commit;
