-- Every lead has a customer, every job has its lead's, and what was made and linked is on record.
-- requires: 01_add_memory_entities
-- present: to_regclass('backfill.customer_backfill') is not null and to_regclass('backfill.customer_backfill_run') is null

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;
-- One sort and one join go over all leads, one after the other: up to half a million, in memory.
set local work_mem = '128MB';
-- Samples of temporary tables need only tell few rows from many.
set local default_statistics_target = 10;
-- The key of the record is made by one sort over all that was made.
set local maintenance_work_mem = '256MB';
-- To compile what runs once takes longer than to run it.
set local jit = off;

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
        raise exception 'Cannot backfill customers: % is not as this batch makes it', made.name
            using errcode = 'object_not_in_prerequisite_state',
                detail = made.definition,
                hint = 'This batch did not make it as it stands. Rename or drop it,'
                    ' then run this again.';
    end loop;
    -- Its key comes when its rows are in: one sort of all takes less than a walk for each.
    if to_regclass('backfill.customer_backfill') is null then
        create schema backfill;
        create table backfill.customer_backfill (
            entity text not null check (entity in ('customer', 'lead', 'job', 'audit')),
            id uuid not null,
            customer_id uuid
        );
    end if;
end
$definition$;

-- What an online route that was cut off has done already counts as done by this run.
create temporary table backfill_run on commit drop as
select
    now() as started_at,
    to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
    gen_random_uuid()::text as salt,
    0::bigint as customers_created,
    0::bigint as leads_linked,
    0::bigint as jobs_linked;

do $unfinished$
begin
    if to_regclass('backfill.customer_backfill_run') is not null then
        update pg_temp.backfill_run as r
        set
            started_at = u.started_at,
            created_at = to_char(
                u.started_at at time zone 'utc',
                'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
            ),
            customers_created = u.customers_created,
            leads_linked = u.leads_linked,
            jobs_linked = u.jobs_linked
        from backfill.customer_backfill_run as u;
        drop table backfill.customer_backfill_run;
    end if;
end
$unfinished$;

-- The white space that JavaScript's trim() removes, whatever the locale of the database.
create function pg_temp.trimmed(raw text) returns text
language sql immutable
return btrim(
    raw,
    e' \u0009\u000a\u000b\u000c\u000d\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006'
        '\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
);

-- Where it is short, translate() is much quicker; where it is long, much slower.
create function pg_temp.digits(raw text) returns text
language sql immutable
return case
    when octet_length(raw) <= 64 then translate(raw, translate(raw, '0123456789', ''), '')
    else regexp_replace(raw, '[^0-9]', '', 'g')
end;

create function pg_temp.phone_key(raw text) returns text
language sql immutable
return case
    when octet_length(raw) < 10 then null
    else substring(pg_temp.digits(raw) from '^(?:1(?=[0-9]{10}$))?([0-9]{10,})$')
end;

create function pg_temp.email_key(raw text) returns text
language sql immutable
return case
    when strpos(raw, '@') > 0 then lower(pg_temp.trimmed(raw))
end;

-- Of version 7: by the time of the group's first lead, so that indexes grow at their end, and for
-- the rest as random as the salt. To ask the system for each at random takes several times as long.
create function pg_temp.made_id(salt text, group_key text, at timestamptz)
returns uuid
language sql stable
return encode(
    substr(
        int8send(case when isfinite(at) then (date_part('epoch', at) * 1000)::bigint else 0 end),
        3
    ) || set_byte(
        set_byte(
            substr(sha256(convert_to(salt || group_key, getdatabaseencoding())), 1, 10),
            0,
            112
        ),
        2,
        128
    ),
    'hex'
)::uuid;

create function pg_temp.sooner(one text, other text) returns text
language sql immutable strict
return one;

-- The first that is not null; an array of all would be made for each group.
create aggregate pg_temp.earliest(text) (
    sfunc = pg_temp.sooner,
    stype = text
);

create temporary table lead_snapshot (
    id uuid,
    customer_id uuid,
    created_at timestamptz,
    name text,
    phone text,
    email text,
    group_type text,
    group_key text collate "C"
) on commit drop;

create temporary table job_snapshot (
    id uuid,
    lead_id uuid
) on commit drop;

-- Leads and jobs to be linked are read and locked: the application can neither link nor delete them
-- meanwhile. Those that come later wait for the next run.
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
            insert into pg_temp.lead_snapshot (
                id, customer_id, created_at, name, phone, email, group_type, group_key
            )
            select
                k.id,
                k.customer_id,
                k.created_at,
                k.name,
                k.phone,
                k.email,
                case
                    when k.psid is not null then 'psid'
                    when k.phone is not null then 'phone'
                    when k.email is not null then 'email'
                    else 'individual'
                end,
                coalesce(
                    'psid:' || k.psid,
                    'phone:' || k.phone,
                    'email:' || k.email,
                    'individual:' || k.id::text
                )
            from (
                select
                    l.id,
                    l.customer_id,
                    l.created_at,
                    nullif(pg_temp.trimmed(l.name), '') as name,
                    nullif(pg_temp.trimmed(l."messengerPsid"), '') as psid,
                    pg_temp.phone_key(l.phone) as phone,
                    pg_temp.email_key(l.email) as email
                from (
                    select u.*
                    from (
                        select
                            n.id,
                            n.customer_id,
                            n.created_at,
                            n.name,
                            n."messengerPsid",
                            n.phone,
                            n.email
                        from "Lead" as n
                        where n.customer_id is null
                        for no key update
                    ) as u
                    union all
                    select
                        n.id,
                        n.customer_id,
                        n.created_at,
                        n.name,
                        n."messengerPsid",
                        n.phone,
                        n.email
                    from "Lead" as n
                    where n.customer_id is not null
                ) as l
                -- Or each key would be made anew wherever it stands above.
                offset 0
            ) as k;
            insert into pg_temp.job_snapshot (id, lead_id)
            select
                j.id,
                j.lead_id
            from "Job" as j
            where j.customer_id is null
            for no key update;
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

analyze pg_temp.lead_snapshot (customer_id, group_type, group_key);

analyze pg_temp.job_snapshot;

-- A number or an address can lead to several customers: the oldest is taken. Of those that an
-- unfinished run has made, each is its own group's alone, as it would be had the run gone on.
create temporary table known_customer on commit drop as
select distinct on (k.group_key)
    k.group_key,
    c.id as customer_id
from "Customer" as c
cross join pg_temp.backfill_run as r
cross join lateral (
    values
        (substring(c.metadata ->> 'groupKey' from '^(?:psid|individual):.*') collate "C"),
        ('phone:' || pg_temp.phone_key(c.phone)),
        ('email:' || pg_temp.email_key(c.email))
) as k (group_key)
where k.group_key is not null
    and (c.created_at <> r.started_at or c.metadata ->> 'groupKey' = k.group_key)
order by
    k.group_key,
    c.created_at = r.started_at desc,
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
    coalesce(k.customer_id, pg_temp.made_id(r.salt, s.group_key, s.since)) as customer_id,
    s.name,
    s.phone,
    s.email
from (
    select
        l.group_key,
        l.group_type,
        count(*) filter (where l.customer_id is null) as leads_to_link,
        min(l.created_at) filter (where l.customer_id is null) as since,
        pg_temp.earliest(l.name order by l.created_at, l.id)
            filter (where l.customer_id is null) as name,
        pg_temp.earliest(l.phone order by l.created_at, l.id)
            filter (where l.customer_id is null) as phone,
        pg_temp.earliest(l.email order by l.created_at, l.id)
            filter (where l.customer_id is null) as email
    from pg_temp.lead_snapshot as l
    group by
        l.group_key,
        l.group_type
) as s
cross join pg_temp.backfill_run as r
left join pg_temp.known_customer as k
    on k.group_key = s.group_key;

analyze pg_temp.lead_group (group_key);

create temporary table lead_link on commit drop as
select
    s.id,
    g.customer_id
from pg_temp.lead_snapshot as s
join pg_temp.lead_group as g
    on g.group_key = s.group_key
where s.customer_id is null;

analyze pg_temp.lead_link;

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
   Mode: %

[1/4] Grouping leads by customer identifiers...
📊 Found % total leads
🔗 Grouped into % potential customers
   - By PSID: %
   - By Phone: %
   - By Email: %
   - Individual: %
',
        case
            when current_setting('batchgate.dry_run', true) = 'on' then '🔍 DRY RUN'
            else '✏️  WRITE'
        end,
        leads, grouped.customers, grouped.by_psid, grouped.by_phone, grouped.by_email,
        grouped.individual;
end
$grouped$;

-- A link that was undone since and is made again replaces its line on record.
delete from backfill.customer_backfill as r
using pg_temp.lead_link as k
where r.entity = 'lead'
    and r.id = k.id;

delete from backfill.customer_backfill as r
using pg_temp.job_snapshot as s
where r.entity = 'job'
    and r.id = s.id;

-- Rows are sorted by their key: its index grows at one end, and not all over.
insert into "Customer" (id, name, phone, email, metadata, created_at, updated_at)
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
        'createdAt', r.created_at,
        'multipleLeads', g.leads_to_link > 1
    ),
    r.started_at,
    r.started_at
from pg_temp.lead_group as g
cross join pg_temp.backfill_run as r
where g.is_new
order by g.customer_id;

insert into backfill.customer_backfill (entity, id, customer_id)
select
    'customer',
    g.customer_id,
    g.customer_id
from pg_temp.lead_group as g
where g.is_new;

with linked as (
    update "Lead" as l
    set customer_id = k.customer_id
    from pg_temp.lead_link as k
    where l.id = k.id
    returning
        l.id,
        l.customer_id
)
insert into backfill.customer_backfill (entity, id, customer_id)
select
    'lead',
    k.id,
    k.customer_id
from linked as k;

create temporary table job_link on commit drop as
select
    s.id,
    l.customer_id
from pg_temp.job_snapshot as s
join "Lead" as l
    on l.id = s.lead_id
where l.customer_id is not null;

analyze pg_temp.job_link;

create temporary table backfill_stats on commit drop as
select
    r.customers_created + g.created as customers_created,
    greatest(g.skipped - r.customers_created, 0) as customers_skipped,
    r.leads_linked + s.linked as leads_linked,
    greatest(s.already_linked - r.leads_linked, 0) as leads_already_linked,
    r.jobs_linked + (select count(*) from pg_temp.job_link) as jobs_linked,
    greatest(
        (select count(*) from "Job" as j where j.customer_id is not null) - r.jobs_linked,
        0
    ) as jobs_already_linked
from pg_temp.backfill_run as r
cross join (
    select
        count(*) filter (where g.is_new) as created,
        count(*) filter (where not g.is_new) as skipped
    from pg_temp.lead_group as g
) as g
cross join (
    select
        count(*) filter (where s.customer_id is null) as linked,
        count(*) filter (where s.customer_id is not null) as already_linked
    from pg_temp.lead_snapshot as s
) as s;

with linked as (
    update "Job" as j
    set customer_id = k.customer_id
    from pg_temp.job_link as k
    where j.id = k.id
    returning
        j.id,
        j.customer_id
)
insert into backfill.customer_backfill (entity, id, customer_id)
select
    'job',
    k.id,
    k.customer_id
from linked as k;

do $key$
begin
    if not exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid = 'backfill.customer_backfill'::regclass
            and c.contype = 'p'
    ) then
        alter table backfill.customer_backfill add primary key (entity, id);
    end if;
end
$key$;

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
    made record;
    s record;
begin
    select *
    into s
    from pg_temp.backfill_stats;
    if current_setting('batchgate.verbose', true) = 'on' then
        raise notice '[2/4] Creating customers and linking leads...';
        for made in
            select
                pg_catalog.format(
                    '   ✓ %s customer %s... (%s, %s)',
                    case when g.is_new then 'Created' else 'Reused' end,
                    left(g.customer_id::text, 8),
                    g.group_type,
                    case g.leads_to_link
                        when 1 then '1 lead'
                        else g.leads_to_link::text || ' leads'
                    end
                ) as line,
                g.leads_to_link
            from pg_temp.lead_group as g
            where g.leads_to_link > 0
            order by g.group_key
        loop
            raise notice '%
   ✓ Linked % lead(s) to customer', made.line, made.leads_to_link;
        end loop;
    end if;
    raise notice '%[3/4] Linking jobs to customers...
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
        case
            when current_setting('batchgate.verbose', true) = 'on' then chr(10)
            else pg_catalog.format(
                '[2/4] Creating customers and linking leads...
   ✓ Created %s customer(s)
   ✓ Linked %s lead(s) to customers

',
                s.customers_created,
                s.leads_linked
            )
        end,
        s.jobs_linked,
        case when s.customers_created + s.leads_linked + s.jobs_linked > 0
            then '✓ Audit log created' else 'Nothing changed, nothing to record' end,
        s.customers_created, s.customers_skipped, s.leads_linked, s.leads_already_linked,
        s.jobs_linked, s.jobs_already_linked;
end
$done$;

drop aggregate pg_temp.earliest(text);
drop function pg_temp.sooner(text, text);
drop function pg_temp.made_id(text, text, timestamptz);
drop function pg_temp.email_key(text);
drop function pg_temp.phone_key(text);
drop function pg_temp.digits(text);
drop function pg_temp.trimmed(text);

commit;
