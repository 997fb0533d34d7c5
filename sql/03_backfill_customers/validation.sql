-- Proven: the record stands as batch 3 defines it, and every lead and job has its customer.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $preflight$
begin
    if (to_regclass('backfill.customer_backfill') is not null) is not true then
        raise exception 'Cannot validate 03_backfill_customers: it is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/03_backfill_customers/migration.sql first.';
    end if;
    if to_regclass('backfill.customer_backfill_run') is not null then
        raise exception 'Cannot validate 03_backfill_customers: its online route is not finished'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/03_backfill_customers/migration.online.sql again; it goes on.';
    end if;
end
$preflight$;

do $record$
declare
    definition text := (
        select string_agg(d.line, ', ' order by d.place, d.line collate "C")
        from (
            select
                a.attnum as place,
                pg_catalog.concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attnotnull then 'not null' end) as line
            from pg_catalog.pg_attribute as a
            where a.attrelid = to_regclass('backfill.customer_backfill')
                and a.attnum > 0
                and not a.attisdropped
            union all
            select
                100,
                pg_get_constraintdef(c.oid)
            from pg_catalog.pg_constraint as c
            where c.conrelid = to_regclass('backfill.customer_backfill')
                and c.contype <> 'n'
        ) as d
    );
begin
    if definition is distinct from
        'entity text not null, id uuid not null, customer_id uuid,'
        ' CHECK ((entity = ANY (ARRAY[''customer''::text, ''lead''::text, ''job''::text,'
        ' ''audit''::text]))), PRIMARY KEY (entity, id)'
    then
        raise exception '=== TEST 1: Record Table ===
✗ FAIL: backfill.customer_backfill has another definition: %', definition;
    end if;
    raise notice '=== TEST 1: Record Table ===
✓ PASS: backfill.customer_backfill is defined as batch 3 defines it';
end
$record$;

do $tests$
declare
    test record;
    failed int := 0;
begin
    for test in
        with made as (
            select c.metadata
            from backfill.customer_backfill as r
            join "Customer" as c
                on c.id = r.id
            where r.entity = 'customer'
        ),
        leads as (
            select
                count(*) as every,
                count(*) filter (where l.customer_id is not null) as linked
            from "Lead" as l
        ),
        jobs as (
            select
                count(*) as every,
                count(*) filter (where j.customer_id is not null) as linked
            from "Job" as j
        ),
        pairs as (
            select
                j.customer_id is distinct from l.customer_id as differs,
                r.id is not null as is_ours
            from "Job" as j
            join "Lead" as l
                on l.id = j.lead_id
            left join backfill.customer_backfill as r
                on r.entity = 'job'
                and r.id = j.id
        ),
        entries as (
            select
                count(*) filter (where r.entity <> 'audit') as changes,
                count(*) filter (
                    where a.action = 'backfill_customers'
                        and a.payload ->> 'version' = 'batch-3'
                        and a.payload -> 'stats' ?& array['customersCreated', 'customersSkipped',
                            'leadsLinked', 'leadsAlreadyLinked', 'jobsLinked', 'jobsAlreadyLinked',
                            'errors']
                ) as logged
            from backfill.customer_backfill as r
            left join "Audit" as a
                on r.entity = 'audit'
                and a.id = r.id
        )
        select
            2 as number,
            'Customers Created' as title,
            count(*) as looked_at,
            count(*) filter (
                where not m.metadata ?& array['groupType', 'groupKey', 'leadCount', 'createdBy',
                    'createdAt', 'multipleLeads']
            ) as wrong,
            pg_catalog.format('%s customer(s) created, each with its metadata', count(*)) as pass,
            'customer(s) of the backfill without its metadata' as fail
        from made as m
        union all
        select
            3,
            'Leads Linked',
            l.every,
            l.every - l.linked,
            pg_catalog.format('%s/%s (100%%) leads linked', l.linked, l.every),
            pg_catalog.format('of %s lead(s) not linked', l.every)
        from leads as l
        union all
        select
            4,
            'Jobs Linked',
            j.every,
            j.every - j.linked,
            pg_catalog.format('%s/%s (100%%) jobs linked', j.linked, j.every),
            pg_catalog.format('of %s job(s) not linked', j.every)
        from jobs as j
        union all
        select
            5,
            'NULL customer_id (Lead)',
            l.every,
            l.every - l.linked,
            '0 leads with NULL customer_id',
            'lead(s) with NULL customer_id'
        from leads as l
        union all
        select
            6,
            'NULL customer_id (Job)',
            j.every,
            j.every - j.linked,
            '0 jobs with NULL customer_id',
            'job(s) with NULL customer_id'
        from jobs as j
        union all
        select
            7,
            'Job/Lead Mismatch',
            count(*),
            count(*) filter (where p.is_ours and p.differs),
            pg_catalog.format('0 job/lead customer mismatches (%s of the application''s own)',
                count(*) filter (where not p.is_ours and p.differs)),
            'job(s) linked by the backfill with another customer than their lead'
        from pairs as p
        union all
        select
            8,
            'Audit Entries',
            e.changes,
            case when e.logged = 0 then 1 else 0 end,
            pg_catalog.format('%s audit entry(s) with full statistics', e.logged),
            'audit entry missing'
        from entries as e
        order by number
    loop
        failed := failed + case when test.wrong > 0 and test.looked_at > 0 then 1 else 0 end;
        raise notice '=== TEST %: % ===
%', test.number, test.title,
            case
                when test.looked_at = 0 then '… not exercised: no rows to look at'
                when test.wrong > 0 then pg_catalog.format('✗ FAIL: %s %s', test.wrong, test.fail)
                else '✓ PASS: ' || test.pass
            end;
    end loop;
    if failed > 0 then
        raise exception 'Batch 3 is not valid: % of 8 tests failed', failed
            using hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                ' -f sql/03_backfill_customers/migration.sql again; it links what is new.';
    end if;
end
$tests$;

rollback;
