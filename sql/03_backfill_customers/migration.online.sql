-- The data of migration.sql stands, committed a chunk of leads at a time.
-- transaction: none

\set ON_ERROR_STOP on

set search_path = public, pg_temp;
set client_min_messages = notice;
set quote_all_identifiers = off;
set row_security = off;
-- One sort and one join go over all leads, one after the other: up to half a million, in memory.
set work_mem = '128MB';
-- Samples of temporary tables need only tell few rows from many.
set default_statistics_target = 10;
-- To compile what runs for a moment takes longer than to run it.
set jit = off;
-- What a writer changed while we waited for it is looked at again, not refused.
set default_transaction_isolation = 'read committed';

do $preflight$
declare
    chunk constant text := coalesce(nullif(current_setting('batchgate.chunk', true), ''), '10000');
begin
    if chunk !~ '^0*[1-9][0-9]{0,8}$' then
        raise exception 'Cannot backfill customers: batchgate.chunk is "%", not a whole number'
            ' from 1 to 999999999', chunk
            using errcode = 'invalid_parameter_value',
                hint = 'It says how many leads are linked between two commits. Leave it out for'
                    ' 10000, or set it, for example by PGOPTIONS="-c batchgate.chunk=1000".';
    end if;
    if current_setting('batchgate.dry_run', true) = 'on' then
        raise exception 'Cannot backfill customers: this route commits in between, and cannot be'
            ' tried dry'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Try sql/03_backfill_customers/migration.sql: it comes to the same figures.';
    end if;
    -- Of the session: it outlives the commits, and ends with the session.
    perform pg_advisory_lock(pg_catalog.hashtextextended('backfill', 0));
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true then
        raise exception 'Cannot backfill customers: 01_add_memory_entities is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/01_add_memory_entities/migration.sql first.';
    end if;
    if to_regclass('backfill.customer_backfill') is null
        and to_regnamespace('backfill') is not null
    then
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

-- What the run that is going on has done before, in another session perhaps, counts as done by it.
create temporary table backfill_run as
select
    now() as started_at,
    ''::text as created_at,
    gen_random_uuid()::text as salt,
    0::bigint as customers_created,
    0::bigint as leads_linked,
    0::bigint as jobs_linked;

create temporary table lead_snapshot (
    id uuid,
    customer_id uuid,
    created_at timestamptz,
    name text,
    phone text,
    email text,
    group_type text,
    group_key text collate "C"
);

create temporary table known_customer (
    group_key text collate "C",
    customer_id uuid
);

-- A group whose customer is new bears the customer's id.
create temporary table lead_group (
    id uuid primary key,
    group_key text collate "C",
    group_type text,
    leads_to_link bigint,
    is_new boolean,
    customer_id uuid,
    name text,
    phone text,
    email text
);

-- Leads and jobs in the order in which they are linked.
create temporary table lead_link (
    place bigint primary key,
    id uuid,
    group_key text collate "C",
    group_id uuid,
    customer_id uuid
);

create temporary table job_link (
    place bigint primary key,
    id uuid
);

create temporary table backfill_stats as
select
    0::bigint as customers_skipped,
    0::bigint as leads_already_linked,
    0::bigint as jobs_already_linked;

-- What an index cannot hold is found by trying: it depends on how well a value compresses.
create temporary table customer_probe (like "Customer" including all excluding constraints);

-- Grouping reads all leads and locks none. Each chunk then links those of its leads that are as
-- they were grouped, makes their customers, and commits. What was changed or has come meanwhile is
-- grouped again, twice at most: on a busy day there is always more, and the next run takes it.
do $leads$
declare
    chunk constant bigint :=
        coalesce(nullif(current_setting('batchgate.chunk', true), ''), '10000');
    each_one constant boolean :=
        coalesce(current_setting('batchgate.verbose', true), '') = 'on';
    patience constant interval := current_setting('lock_timeout');
    until timestamptz;
    leads bigint;
    done bigint;
    grouped record;
    line text;
    candidate record;
    refused bigint := 0;
    listed text;
begin
    for pass in 1..3 loop
        exit when pass > 1 and not exists (select from "Lead" as l where l.customer_id is null);
        truncate pg_temp.lead_snapshot, pg_temp.known_customer, pg_temp.lead_group,
            pg_temp.lead_link;
        if to_regclass('backfill.customer_backfill_run') is not null then
            update pg_temp.backfill_run as r
            set
                started_at = u.started_at,
                customers_created = u.customers_created,
                leads_linked = u.leads_linked,
                jobs_linked = u.jobs_linked
            from backfill.customer_backfill_run as u;
        end if;
        update pg_temp.backfill_run
        set created_at = to_char(started_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

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
            from "Lead" as l
            -- Or each key would be made anew wherever it stands above.
            offset 0
        ) as k;

        analyze pg_temp.lead_snapshot (customer_id, group_type, group_key);

        -- A number or an address can lead to several customers: the oldest is taken. Of those that
        -- this run has made, each is its own group's alone, in whichever session it goes on.
        insert into pg_temp.known_customer (group_key, customer_id)
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

        insert into pg_temp.lead_group (
            group_key, group_type, leads_to_link, is_new, id, customer_id, name, phone, email
        )
        select
            s.group_key,
            s.group_type,
            s.leads_to_link,
            s.leads_to_link > 0 and k.customer_id is null as is_new,
            m.id,
            coalesce(k.customer_id, m.id) as customer_id,
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
        cross join lateral (
            select pg_temp.made_id(r.salt, s.group_key, s.since) as id
            offset 0
        ) as m
        left join pg_temp.known_customer as k
            on k.group_key = s.group_key
        -- Rows are sorted by their key: its index grows at one end, and not all over.
        order by m.id;

        analyze pg_temp.lead_group (group_key);

        insert into pg_temp.lead_link (place, id, group_key, group_id, customer_id)
        select
            row_number() over (order by s.created_at, s.id),
            s.id,
            g.group_key,
            g.id,
            g.customer_id
        from pg_temp.lead_snapshot as s
        join pg_temp.lead_group as g
            on g.group_key = s.group_key
        where s.customer_id is null
        order by
            s.created_at,
            s.id;

        analyze pg_temp.lead_link (place, id, customer_id);

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

        if to_regclass('backfill.customer_backfill') is null then
            create schema backfill;
            create table backfill.customer_backfill (
                entity text not null check (entity in ('customer', 'lead', 'job', 'audit')),
                id uuid not null,
                customer_id uuid,
                primary key (entity, id)
            );
        end if;
        -- It stands while the run is unfinished, and lets the next session go on with it.
        if to_regclass('backfill.customer_backfill_run') is null then
            create table backfill.customer_backfill_run (
                started_at timestamptz not null,
                customers_created bigint not null,
                leads_linked bigint not null,
                jobs_linked bigint not null
            );
            insert into backfill.customer_backfill_run (
                started_at, customers_created, leads_linked, jobs_linked
            )
            select r.started_at, 0, 0, 0
            from pg_temp.backfill_run as r;
        end if;
        select
            count(*) as customers,
            count(*) filter (where not g.is_new) as known,
            count(*) filter (where g.group_type = 'psid') as by_psid,
            count(*) filter (where g.group_type = 'phone') as by_phone,
            count(*) filter (where g.group_type = 'email') as by_email,
            count(*) filter (where g.group_type = 'individual') as individual
        into grouped
        from pg_temp.lead_group as g;
        leads := (select count(*) from pg_temp.lead_snapshot);
        done := leads - (select count(*) from pg_temp.lead_link);
        update pg_temp.backfill_stats as s
        set
            customers_skipped = greatest(grouped.known - r.customers_created, 0),
            leads_already_linked = greatest(done - r.leads_linked, 0)
        from pg_temp.backfill_run as r;
        commit;

        if pass = 1 then
            raise notice '🚀 Starting Batch 3: Customer Backfill
   Mode: ✏️  WRITE
   Commits every % leads%

[1/4] Grouping leads by customer identifiers...
📊 Found % total leads
🔗 Grouped into % potential customers
   - By PSID: %
   - By Phone: %
   - By Email: %
   - Individual: %

[2/4] Creating customers and linking leads...',
                to_char(chunk, 'FM999,999,999'),
                (
                    select pg_catalog.concat(
                        case when r.leads_linked + r.jobs_linked > 0
                            then chr(10) || '   Goes on with a run that was cut off after '
                                || to_char(r.leads_linked, 'FM999,999,999,999') || ' leads' end
                    )
                    from pg_temp.backfill_run as r
                ),
                leads, grouped.customers, grouped.by_psid, grouped.by_phone, grouped.by_email,
                grouped.individual;
        end if;
        leads := leads - done;
        exit when leads = 0;
        done := 0;

        while done < leads loop
            until := case
                when patience > '0' then clock_timestamp() + patience
                else 'infinity'
            end;
            loop
                -- Writers lock leads in orders of their own, and whoever holds one and waits for
                -- another is half a deadlock: so the wait is short, and all is given back before
                -- it is asked for again.
                begin
                    if patience = '0' or patience > '400ms' then
                        set local lock_timeout = '400ms';
                    end if;
                    -- What is planned while tables are small still runs when they are large: each
                    -- row is looked up by its key, also by the triggers of foreign keys.
                    set local enable_seqscan = off;
                    set local enable_hashjoin = off;
                    set local enable_mergejoin = off;
                    with locked as (
                        select
                            k.id,
                            k.customer_id
                        from pg_temp.lead_link as k
                        cross join lateral (
                            select
                                n.id,
                                n.customer_id,
                                n."messengerPsid",
                                n.phone,
                                n.email
                            from "Lead" as n
                            where n.id = k.id
                            offset 0
                            for no key update
                        ) as l
                        where k.place > done
                            and k.place <= done + chunk
                            and l.customer_id is null
                            and coalesce(
                                'psid:' || nullif(pg_temp.trimmed(l."messengerPsid"), ''),
                                'phone:' || pg_temp.phone_key(l.phone),
                                'email:' || pg_temp.email_key(l.email),
                                'individual:' || l.id::text
                            ) collate "C" = k.group_key
                            and (
                                k.customer_id = k.group_id
                                or exists (select from "Customer" as c where c.id = k.customer_id)
                            )
                    ),
                    linked as (
                        update "Lead" as l
                        set customer_id = k.customer_id
                        from locked as k
                        where l.id = k.id
                        returning
                            l.id,
                            l.customer_id
                    ),
                    made as (
                        insert into "Customer" (
                            id, name, phone, email, metadata, created_at, updated_at
                        )
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
                            and g.id in (select k.customer_id from linked as k)
                            and not exists (select from "Customer" as c where c.id = g.id)
                        order by g.id
                        returning id
                    ),
                    recorded as (
                        insert into backfill.customer_backfill (entity, id, customer_id)
                        select
                            'customer',
                            m.id,
                            m.id
                        from made as m
                        union all
                        select
                            'lead',
                            k.id,
                            k.customer_id
                        from linked as k
                        order by
                            1,
                            2
                        on conflict (entity, id) do update set customer_id = excluded.customer_id
                    )
                    update backfill.customer_backfill_run
                    set
                        customers_created = customers_created + (select count(*) from made),
                        leads_linked = leads_linked + (select count(*) from linked);
                    exit;
                exception
                    when lock_not_available then
                        if clock_timestamp() >= until then
                            raise;
                        end if;
                end;
            end loop;
            commit;

            if each_one then
                for line in
                    select pg_catalog.format(
                        e'   ✓ %s customer %s... (%s, %s)\n   ✓ Linked %s lead(s) to customer',
                        case
                            when g.is_new and min(k.place) = (
                                select min(o.place)
                                from pg_temp.lead_link as o
                                where o.group_id = g.id
                            )
                                then 'Created'
                            else 'Reused'
                        end,
                        left(g.customer_id::text, 8),
                        g.group_type,
                        case g.leads_to_link
                            when 1 then '1 lead'
                            else g.leads_to_link::text || ' leads'
                        end,
                        count(*)
                    )
                    from pg_temp.lead_link as k
                    join pg_temp.lead_group as g
                        on g.id = k.group_id
                    join "Lead" as l
                        on l.id = k.id
                        and l.customer_id = k.customer_id
                    where k.place > done
                        and k.place <= done + chunk
                    group by g.id
                    order by g.group_key
                loop
                    raise notice '%', line;
                end loop;
            end if;
            done := least(done + chunk, leads);
            raise notice '   % of % leads', to_char(done, 'FM999,999,999,999'),
                to_char(leads, 'FM999,999,999,999');
        end loop;
    end loop;
end
$leads$;

-- Jobs come after all leads: a transaction that locked both could be half a deadlock.
do $jobs$
declare
    chunk constant bigint :=
        coalesce(nullif(current_setting('batchgate.chunk', true), ''), '10000');
    patience constant interval := current_setting('lock_timeout');
    until timestamptz;
    jobs bigint;
    done bigint := 0;
begin
    insert into pg_temp.job_link (place, id)
    select
        row_number() over (order by j.created_at, j.id),
        j.id
    from "Job" as j
    join "Lead" as l
        on l.id = j.lead_id
    where j.customer_id is null
        and l.customer_id is not null
    order by
        j.created_at,
        j.id;
    analyze pg_temp.job_link;
    update pg_temp.backfill_stats as s
    set jobs_already_linked = greatest(j.linked - r.jobs_linked, 0)
    from backfill.customer_backfill_run as r
    cross join (
        select count(*) as linked
        from "Job" as j
        where j.customer_id is not null
    ) as j;
    jobs := (select count(*) from pg_temp.job_link);
    commit;
    raise notice '%
[3/4] Linking jobs to customers...',
        (
            select
                case
                    when current_setting('batchgate.verbose', true) = 'on' then ''
                    else pg_catalog.format(
                        '   ✓ Created %s customer(s)
   ✓ Linked %s lead(s) to customers
',
                        r.customers_created,
                        r.leads_linked
                    )
                end
            from backfill.customer_backfill_run as r
        );

    while done < jobs loop
        until := case
            when patience > '0' then clock_timestamp() + patience
            else 'infinity'
        end;
        loop
            begin
                if patience = '0' or patience > '400ms' then
                    set local lock_timeout = '400ms';
                end if;
                set local enable_seqscan = off;
                set local enable_hashjoin = off;
                set local enable_mergejoin = off;
                with locked as (
                    select
                        k.id,
                        l.customer_id
                    from pg_temp.job_link as k
                    cross join lateral (
                        select
                            n.customer_id,
                            n.lead_id
                        from "Job" as n
                        where n.id = k.id
                        offset 0
                        for no key update
                    ) as j
                    cross join lateral (
                        select n.customer_id
                        from "Lead" as n
                        where n.id = j.lead_id
                        offset 0
                    ) as l
                    where k.place > done
                        and k.place <= done + chunk
                        and j.customer_id is null
                        and l.customer_id is not null
                ),
                linked as (
                    update "Job" as j
                    set customer_id = k.customer_id
                    from locked as k
                    where j.id = k.id
                    returning
                        j.id,
                        j.customer_id
                ),
                recorded as (
                    insert into backfill.customer_backfill (entity, id, customer_id)
                    select
                        'job',
                        k.id,
                        k.customer_id
                    from linked as k
                    order by k.id
                    on conflict (entity, id) do update set customer_id = excluded.customer_id
                )
                update backfill.customer_backfill_run
                set jobs_linked = jobs_linked + (select count(*) from linked);
                exit;
            exception
                when lock_not_available then
                    if clock_timestamp() >= until then
                        raise;
                    end if;
            end;
        end loop;
        commit;
        done := least(done + chunk, jobs);
        raise notice '   % of % jobs', to_char(done, 'FM999,999,999,999'),
            to_char(jobs, 'FM999,999,999,999');
    end loop;
end
$jobs$;

-- The run is over: its entry in the log takes the place of its figures.
do $done$
declare
    s record;
begin
    select
        r.customers_created,
        t.customers_skipped,
        r.leads_linked,
        t.leads_already_linked,
        r.jobs_linked,
        t.jobs_already_linked
    into strict s
    from backfill.customer_backfill_run as r
    cross join pg_temp.backfill_stats as t;
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
        where s.customers_created + s.leads_linked + s.jobs_linked > 0
        returning id
    )
    insert into backfill.customer_backfill (entity, id)
    select
        'audit',
        m.id
    from made as m;
    drop table backfill.customer_backfill_run;
    raise notice '   ✓ Linked % job(s) to customers

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

do $released$
begin
    perform pg_advisory_unlock(pg_catalog.hashtextextended('backfill', 0));
end
$released$;

drop table
    pg_temp.customer_probe,
    pg_temp.backfill_stats,
    pg_temp.job_link,
    pg_temp.lead_link,
    pg_temp.lead_group,
    pg_temp.known_customer,
    pg_temp.lead_snapshot,
    pg_temp.backfill_run;

drop aggregate pg_temp.earliest(text);
drop function pg_temp.sooner(text, text);
drop function pg_temp.made_id(text, text, timestamptz);
drop function pg_temp.email_key(text);
drop function pg_temp.phone_key(text);
drop function pg_temp.digits(text);
drop function pg_temp.trimmed(text);

reset search_path;
reset client_min_messages;
reset quote_all_identifiers;
reset row_security;
reset work_mem;
reset default_statistics_target;
reset jit;
reset default_transaction_isolation;
