-- Every lead has a customer, every job has its lead's, and what was made and linked is on record.
-- requires: 01_add_memory_entities
-- present: to_regclass('backfill.customer_backfill') is not null

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $preflight$
begin
    perform pg_advisory_xact_lock(pg_catalog.hashtextextended('backfill', 0));
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true then
        raise exception 'Cannot backfill customers: 01_add_memory_entities is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/01_add_memory_entities/migration.sql first.';
    end if;
    if to_regclass('backfill.customer_backfill') is not null then
        return;
    end if;
    if to_regnamespace('backfill') is not null then
        raise exception 'Cannot backfill customers: schema backfill exists and does not'
            ' hold the record of this batch'
            using errcode = 'duplicate_schema',
                hint = 'This batch did not make it and needs its name. Rename or drop it,'
                    ' then run this again.';
    end if;
    create schema backfill;
    create table backfill.customer_backfill (
        entity text not null check (entity in ('customer', 'lead', 'job', 'audit')),
        id uuid not null,
        customer_id uuid,
        primary key (entity, id)
    );
end
$preflight$;

do $definition$
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
        raise exception 'Cannot backfill customers: backfill.customer_backfill is not as this'
            ' batch makes it'
            using errcode = 'object_not_in_prerequisite_state',
                detail = definition,
                hint = 'This batch did not make it as it stands. Rename or drop it,'
                    ' then run this again.';
    end if;
end
$definition$;

-- The white space that JavaScript's trim() removes, whatever the locale of the database.
create function pg_temp.trimmed(raw text) returns text
language sql immutable
return btrim(
    raw,
    e' \u0009\u000a\u000b\u000c\u000d\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006'
        '\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
);

create function pg_temp.phone_key(raw text) returns text
language sql immutable
return coalesce(
    substring(regexp_replace(raw, '[^0-9]', '', 'g') from '^1?([0-9]{10})$'),
    substring(regexp_replace(raw, '[^0-9]', '', 'g') from '^[0-9]{10,}$')
);

create function pg_temp.email_key(raw text) returns text
language sql immutable
return substring(lower(pg_temp.trimmed(raw)) from '.*@.*');

-- Leads and jobs to be linked are locked: the application can neither link nor delete them meanwhile.
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
    jobs_first boolean := false;
begin
    loop
        begin
            if patience = '0' or patience > '400ms' then
                set local lock_timeout = '400ms';
            end if;
            if jobs_first then
                perform from "Job" as j where j.customer_id is null for no key update;
            end if;
            perform from "Lead" as l where l.customer_id is null for no key update;
            perform from "Job" as j where j.customer_id is null for no key update;
            exit;
        exception
            when lock_not_available then
                if clock_timestamp() >= until then
                    raise;
                end if;
                jobs_first := not jobs_first;
        end;
    end loop;
end
$locked$;

create temporary table lead_snapshot on commit drop as
with unlinked as (
    select
        l.id,
        l.customer_id,
        l.created_at,
        l.name,
        l."messengerPsid",
        l.phone,
        l.email
    from "Lead" as l
    where l.customer_id is null
    for no key update
),
every_lead as (
    select u.*
    from unlinked as u
    union all
    select
        l.id,
        l.customer_id,
        l.created_at,
        l.name,
        l."messengerPsid",
        l.phone,
        l.email
    from "Lead" as l
    where l.customer_id is not null
),
keyed as (
    select
        l.id,
        l.customer_id,
        l.created_at,
        nullif(pg_temp.trimmed(l.name), '') as name,
        nullif(pg_temp.trimmed(l."messengerPsid"), '') as psid,
        pg_temp.phone_key(l.phone) as phone,
        pg_temp.email_key(l.email) as email
    from every_lead as l
)
select
    k.id,
    k.customer_id,
    k.created_at,
    k.name,
    k.phone,
    k.email,
    g.group_type,
    g.group_type || ':' || coalesce(k.psid, k.phone, k.email, k.id::text) as group_key
from keyed as k
cross join lateral (
    select
        case
            when k.psid is not null then 'psid'
            when k.phone is not null then 'phone'
            when k.email is not null then 'email'
            else 'individual'
        end as group_type
) as g;

analyze pg_temp.lead_snapshot;

-- A number or an address can lead to several customers: the oldest is taken.
create temporary table known_customer on commit drop as
select distinct on (k.group_key)
    k.group_key,
    c.id as customer_id
from "Customer" as c
cross join lateral (
    values
        (substring(c.metadata ->> 'groupKey' from '^(?:psid|individual):.*')),
        ('phone:' || pg_temp.phone_key(c.phone)),
        ('email:' || pg_temp.email_key(c.email))
) as k (group_key)
where k.group_key is not null
order by
    k.group_key,
    c.created_at,
    (c.metadata ->> 'groupKey' = k.group_key) desc nulls last,
    c.metadata ->> 'groupKey',
    c.id;

analyze pg_temp.known_customer;

create temporary table lead_group on commit drop as
select
    s.group_key,
    s.group_type,
    s.leads_to_link,
    s.leads_to_link > 0 and k.customer_id is null as is_new,
    coalesce(k.customer_id, gen_random_uuid()) as customer_id,
    s.name,
    s.phone,
    s.email
from (
    select
        l.group_key,
        l.group_type,
        count(*) filter (where l.customer_id is null) as leads_to_link,
        (pg_catalog.array_agg(l.name order by l.created_at, l.id)
            filter (where l.customer_id is null and l.name is not null))[1] as name,
        (pg_catalog.array_agg(l.phone order by l.created_at, l.id)
            filter (where l.customer_id is null and l.phone is not null))[1] as phone,
        (pg_catalog.array_agg(l.email order by l.created_at, l.id)
            filter (where l.customer_id is null and l.email is not null))[1] as email
    from pg_temp.lead_snapshot as l
    group by
        l.group_key,
        l.group_type
) as s
left join pg_temp.known_customer as k
    on k.group_key = s.group_key;

analyze pg_temp.lead_group;

-- What an index cannot hold is found by trying: it depends on how well a value compresses.
create temporary table customer_probe (like "Customer" including all excluding constraints)
on commit drop;

do $in_the_way$
declare
    candidate record;
    refused bigint := 0;
    listed text;
begin
    for candidate in
        select
            s.id,
            g.phone,
            g.email
        from pg_temp.lead_snapshot as s
        join pg_temp.lead_group as g
            on g.group_key = s.group_key
        where g.is_new
            and ((octet_length(s.phone) > 2000 and s.phone = g.phone)
                or (octet_length(s.email) > 2000 and s.email = g.email))
        order by
            s.created_at,
            s.id
    loop
        begin
            insert into pg_temp.customer_probe (phone, email)
            values (candidate.phone, candidate.email);
            delete from pg_temp.customer_probe;
        exception
            when program_limit_exceeded then
                refused := refused + 1;
                if refused <= 10 then
                    listed := coalesce(listed || chr(10), '') || 'lead ' || candidate.id::text;
                end if;
        end;
    end loop;
    if refused > 0 then
        raise exception 'Cannot backfill customers: % a phone or an e-mail too long for an index',
            case refused when 1 then '1 lead has' else refused::text || ' leads have' end
            using errcode = 'program_limit_exceeded',
                detail = listed || case
                    when refused > 10 then chr(10) || 'and ' || (refused - 10)::text || ' more'
                    else ''
                end,
                hint = 'Correct them, for example by update "Lead" set phone = left(phone, 100),'
                    ' email = left(email, 500) where customer_id is null'
                    ' and greatest(octet_length(phone), octet_length(email)) > 2000;'
                    ' then run this again.';
    end if;
end
$in_the_way$;

do $grouped$
declare
    grouped record;
    leads bigint := (select count(*) from pg_temp.lead_snapshot);
begin
    select
        count(*) as customers,
        count(*) filter (where g.group_type = 'psid') as by_psid,
        count(*) filter (where g.group_type = 'phone') as by_phone,
        count(*) filter (where g.group_type = 'email') as by_email,
        count(*) filter (where g.group_type = 'individual') as individual
    into grouped
    from pg_temp.lead_group as g;
    raise notice '🚀 Starting Batch 3: Customer Backfill
   Mode: ✏️  WRITE

[1/4] Grouping leads by customer identifiers...
📊 Found % total leads
🔗 Grouped into % potential customers
   - By PSID: %
   - By Phone: %
   - By Email: %
   - Individual: %
', leads, grouped.customers, grouped.by_psid, grouped.by_phone, grouped.by_email,
        grouped.individual;
end
$grouped$;

insert into "Customer" (id, name, phone, email, metadata)
select
    g.customer_id,
    g.name,
    g.phone,
    g.email,
    pg_catalog.jsonb_build_object(
        'groupType', g.group_type,
        'groupKey', g.group_key,
        'leadCount', g.leads_to_link,
        'createdBy', '03_backfill_customers',
        'createdAt', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'multipleLeads', g.leads_to_link > 1
    )
from pg_temp.lead_group as g
where g.is_new
order by g.group_key;

insert into backfill.customer_backfill (entity, id, customer_id)
select
    'customer',
    g.customer_id,
    g.customer_id
from pg_temp.lead_group as g
where g.is_new;

-- A link that was undone since and is made again replaces its line on record.
with linked as (
    update "Lead" as l
    set customer_id = g.customer_id
    from pg_temp.lead_snapshot as s
    join pg_temp.lead_group as g
        on g.group_key = s.group_key
    where l.id = s.id
        and s.customer_id is null
    returning
        l.id,
        l.customer_id
)
insert into backfill.customer_backfill (entity, id, customer_id)
select
    'lead',
    k.id,
    k.customer_id
from linked as k
on conflict (entity, id) do update set customer_id = excluded.customer_id;

create temporary table job_snapshot on commit drop as
select
    j.id,
    l.customer_id
from "Job" as j
join "Lead" as l
    on l.id = j.lead_id
where j.customer_id is null
    and l.customer_id is not null
for no key update of j;

analyze pg_temp.job_snapshot;

create temporary table backfill_stats on commit drop as
select
    (select count(*) from pg_temp.lead_group as g where g.is_new) as customers_created,
    (select count(*) from pg_temp.lead_group as g where not g.is_new) as customers_skipped,
    (select count(*) from pg_temp.lead_snapshot as s where s.customer_id is null) as leads_linked,
    (select count(*) from pg_temp.lead_snapshot as s where s.customer_id is not null)
        as leads_already_linked,
    (select count(*) from pg_temp.job_snapshot) as jobs_linked,
    (select count(*) from "Job" as j where j.customer_id is not null) as jobs_already_linked;

with linked as (
    update "Job" as j
    set customer_id = s.customer_id
    from pg_temp.job_snapshot as s
    where j.id = s.id
    returning
        j.id,
        j.customer_id
)
insert into backfill.customer_backfill (entity, id, customer_id)
select
    'job',
    k.id,
    k.customer_id
from linked as k
on conflict (entity, id) do update set customer_id = excluded.customer_id;

with made as (
    insert into "Audit" (actor, action, payload)
    select
        'system',
        'backfill_customers',
        pg_catalog.jsonb_build_object(
            'timestamp', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'stats', pg_catalog.jsonb_build_object(
                'customersCreated', s.customers_created,
                'customersSkipped', s.customers_skipped,
                'leadsLinked', s.leads_linked,
                'leadsAlreadyLinked', s.leads_already_linked,
                'jobsLinked', s.jobs_linked,
                'jobsAlreadyLinked', s.jobs_already_linked,
                'errors', pg_catalog.jsonb_build_array()
            ),
            'script', '03_backfill_customers',
            'version', 'batch-3'
        )
    from pg_temp.backfill_stats as s
    where s.customers_created + s.leads_linked + s.jobs_linked > 0
    returning id
)
insert into backfill.customer_backfill (entity, id)
select
    'audit',
    m.id
from made as m;

do $done$
declare
    s record;
begin
    select *
    into s
    from pg_temp.backfill_stats;
    raise notice '[2/4] Creating customers and linking leads...

[3/4] Linking jobs to customers...
   ✓ Linked % job(s) to customers

[4/4] Recording audit log...
   %

✅ BACKFILL COMPLETE

📊 Statistics:
   Customers created:      %
   Customers reused:       %
   Leads linked:           %
   Leads already linked:   %
   Jobs linked:            %
   Jobs already linked:    %
   Errors:                 0',
        s.jobs_linked,
        case when s.customers_created + s.leads_linked + s.jobs_linked > 0
            then '✓ Audit log created' else 'Nothing changed, nothing to record' end,
        s.customers_created, s.customers_skipped, s.leads_linked, s.leads_already_linked,
        s.jobs_linked, s.jobs_already_linked;
end
$done$;

drop function pg_temp.email_key(text);
drop function pg_temp.phone_key(text);
drop function pg_temp.trimmed(text);

commit;
