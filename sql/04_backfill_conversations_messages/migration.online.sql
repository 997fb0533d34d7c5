-- The data of migration.sql stands, committed a chunk of leads at a time.
-- transaction: none

\set ON_ERROR_STOP on

set search_path = public, pg_temp;
set client_min_messages = notice;
set quote_all_identifiers = off;
set row_security = off;
-- All leads are hashed and sorted once, before the first chunk.
set work_mem = '64MB';
-- To compile what runs for a moment takes longer than to run it.
set jit = off;
-- What a writer changed while we waited for it is looked at again, not refused.
set default_transaction_isolation = 'read committed';

do $turn$
declare
    chunk constant text := coalesce(nullif(current_setting('batchgate.chunk', true), ''), '10000');
    leftover regclass;
begin
    if chunk !~ '^0*[1-9][0-9]{0,8}$' then
        raise exception 'Cannot backfill conversations: batchgate.chunk is "%", not a whole number'
            ' from 1 to 999999999', chunk
            using errcode = 'invalid_parameter_value',
                hint = 'It says how many leads are told between two commits. Leave it out for'
                    ' 10000, or set it, for example by PGOPTIONS="-c batchgate.chunk=1000".';
    end if;
    if current_setting('batchgate.dry_run', true) = 'on' then
        raise exception 'Cannot backfill conversations: this route commits in between, and cannot'
            ' be tried dry'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Try sql/04_backfill_conversations_messages/migration.sql: it comes to the'
                    ' same figures.';
    end if;

    -- Until the end of the session at the latest: no other backfill between two chunks.
    perform pg_advisory_lock(pg_catalog.hashtextextended('backfill', 0));

    -- Of an earlier run in this session that did not get to its end.
    for leftover in
        select c.oid::regclass
        from pg_catalog.pg_class as c
        where c.relnamespace = pg_my_temp_schema()
            and c.relkind = 'r'
            and c.relname in (
                'made_message',
                'lead_history',
                'lead_due',
                'chunk_lead',
                'chunk_audit',
                'chunk_history',
                'followed',
                'backfill_stats'
            )
        order by c.relname
    loop
        execute pg_catalog.format('drop table %s', leftover);
    end loop;
end
$turn$;

begin;

do $preflight$
begin
    if (to_regclass('backfill.customer_backfill') is not null) is not true then
        raise exception 'Cannot backfill conversations: 03_backfill_customers is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/03_backfill_customers/migration.sql first.';
    end if;
    if to_regclass('backfill.customer_backfill_run') is not null then
        raise exception 'Cannot backfill conversations: the online route of 03_backfill_customers'
            ' is not finished'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/03_backfill_customers/migration.online.sql again; it goes on.';
    end if;
    if to_regclass('backfill.conversation_backfill') is null then
        create table backfill.conversation_backfill (
            entity text not null check (entity in ('conversation', 'message', 'audit')),
            id uuid not null,
            lead_id uuid,
            customer_id uuid,
            audit_id uuid,
            primary key (entity, id)
        );
    end if;
    -- It stands while this file is begun and not finished.
    if to_regclass('backfill.conversation_backfill_run') is null then
        create table backfill.conversation_backfill_run (
            started_at timestamptz not null,
            conversations_created bigint not null,
            conversations_followed bigint not null,
            messages_created bigint not null
        );
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
                    'backfill.conversation_backfill',
                    'entity text not null, id uuid not null, lead_id uuid, customer_id uuid,'
                        ' audit_id uuid, CHECK ((entity = ANY (ARRAY[''conversation''::text,'
                        ' ''message''::text, ''audit''::text]))), PRIMARY KEY (entity, id)'
                ),
                (
                    'backfill.conversation_backfill_run',
                    'started_at timestamp with time zone not null,'
                        ' conversations_created bigint not null,'
                        ' conversations_followed bigint not null,'
                        ' messages_created bigint not null'
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
        raise exception 'Cannot backfill conversations: % is not as this batch makes it', made.name
            using errcode = 'object_not_in_prerequisite_state',
                detail = made.definition,
                hint = 'This batch did not make it as it stands. Rename or drop it,'
                    ' then run this again.';
    end loop;
end
$definition$;

insert into backfill.conversation_backfill_run (
    started_at,
    conversations_created,
    conversations_followed,
    messages_created
)
select
    now(),
    0,
    0,
    0
where not exists (
    select
    from backfill.conversation_backfill_run
);

-- The white space that JavaScript's trim() removes, whatever the locale of the database.
create or replace function pg_temp.trimmed(raw text) returns text
language sql immutable
return btrim(
    raw,
    e' \u0009\u000a\u000b\u000c\u000d\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006'
        '\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
);

-- Where it is short, translate() is much quicker; where it is long, much slower.
create or replace function pg_temp.digits(raw text) returns text
language sql immutable
return case
    when octet_length(raw) <= 64 then translate(raw, translate(raw, '0123456789', ''), '')
    else regexp_replace(raw, '[^0-9]', '', 'g')
end;

create or replace function pg_temp.phone_key(raw text) returns text
language sql immutable
return case
    when octet_length(raw) < 10 then null
    else substring(pg_temp.digits(raw) from '^(?:1(?=[0-9]{10}$))?([0-9]{10,})$')
end;

create or replace function pg_temp.text_under(key text, payload jsonb) returns text
language sql immutable
return case
    when jsonb_typeof(payload -> key) = 'string' and pg_temp.trimmed(payload ->> key) <> ''
        then payload ->> key
end;

-- Of version 7: by its own time, so that indexes grow at their end, and for the rest as random as
-- the seed. To ask the system for each at random takes several times as long.
create or replace function pg_temp.made_id(seed bigint, source uuid, at timestamptz) returns uuid
language sql stable
return (
    lpad(
        to_hex(
            (
                case when isfinite(at) then (date_part('epoch', at) * 1000)::bigint else 0 end << 16
            ) | (7 << 12)::bigint
        ),
        16,
        '0'
    ) || to_hex(
        (pg_catalog.uuid_hash_extended(source, seed) & ~(3::bigint << 62)) | (1::bigint << 63)
    )
)::uuid;

create or replace function pg_temp.role_of(actor text) returns "MessageRole"
language sql immutable
return case actor
    when 'customer' then 'user'::"MessageRole"
    when 'user' then 'user'
    when 'agent' then 'assistant'
    when 'assistant' then 'assistant'
    when 'system' then 'system'
    when 'tool' then 'tool'
end;

-- Null where an entry has nothing to show.
create or replace function pg_temp.content_of(action text, payload jsonb) returns text
language sql immutable
return case
    when payload not in ('null', '{}', '[]', '""') then coalesce(
        pg_temp.text_under('text', payload),
        pg_temp.text_under('message', payload),
        pg_temp.text_under('content', payload),
        case
            when action in ('message_sent', 'message_received')
                then pg_temp.text_under('body', payload)
        end,
        left(payload::text, 1000)
    )
end;

create temporary table made_message as
select r.audit_id::text as audit_id
from backfill.conversation_backfill as r
where r.entity = 'message'
    and r.audit_id is not null
union
select m.metadata ->> 'auditId'
from "Message" as m
where m.metadata ->> 'auditId' is not null;

-- Not unique by its primary key: a key holds less than what a message's metadata may hold.
create index on pg_temp.made_message using hash (audit_id);

analyze pg_temp.made_message;

-- Looked at without a lock; the chunks look again at what they lock.
create temporary table lead_history as
select
    l.id as lead_id,
    l.created_at,
    s.entries,
    s.made,
    s.entries - s.made - s.to_make as skipped,
    k.lead_id is not null as has_conversation,
    s.made > 0 or m.lead_id is not null as is_on_record,
    s.to_make > 0
        or k.lead_id is null and s.made = 0 and m.lead_id is null
        or f.lead_id is not null and l.customer_id is not null as is_due
from (
    select
        a.lead_id,
        count(*) as entries,
        count(*) filter (where m.audit_id is not null) as made,
        count(*) filter (
            where m.audit_id is null
                and a.payload not in ('null', '{}', '[]', '""')
        ) as to_make
    from "Audit" as a
    left join pg_temp.made_message as m
        on m.audit_id = a.id::text
    where a.lead_id is not null
        and pg_temp.role_of(a.actor) is not null
    group by a.lead_id
) as s
join "Lead" as l
    on l.id = s.lead_id
left join (
    select distinct c.lead_id
    from "Conversation" as c
) as k
    on k.lead_id = l.id
left join (
    select distinct r.lead_id
    from backfill.conversation_backfill as r
    where r.entity = 'conversation'
) as m
    on m.lead_id = l.id
left join (
    select distinct c.lead_id
    from backfill.conversation_backfill as r
    join "Conversation" as c
        on c.id = r.id
    where r.entity = 'conversation'
        and r.customer_id is null
        and c.customer_id is null
) as f
    on f.lead_id = l.id;

analyze pg_temp.lead_history;

-- The oldest first: it is they who take an external id.
create temporary table lead_due as
select
    row_number() over (order by h.created_at, h.lead_id) as turn,
    h.lead_id,
    h.has_conversation,
    h.is_on_record
from pg_temp.lead_history as h
where h.is_due;

alter table pg_temp.lead_due add primary key (turn);

analyze pg_temp.lead_due;

-- What was made before this file was cut off is met again here as made already.
create temporary table backfill_stats as
select
    h.conversations_skipped - b.conversations_created as conversations_skipped,
    h.messages_skipped - b.messages_created as messages_skipped,
    h.audits_processed,
    h.audits_skipped
from (
    select
        count(*) filter (where h.has_conversation) as conversations_skipped,
        coalesce(sum(h.made), 0)::bigint as messages_skipped,
        coalesce(sum(h.entries), 0)::bigint as audits_processed,
        coalesce(sum(h.skipped), 0)::bigint as audits_skipped
    from pg_temp.lead_history as h
    where not h.is_due
) as h
cross join backfill.conversation_backfill_run as b;

create temporary table chunk_lead (
    lead_id uuid,
    channel "Channel",
    customer_id uuid,
    created_at timestamptz,
    external_id text,
    is_on_record boolean
) on commit delete rows;

create temporary table chunk_audit (
    id uuid,
    lead_id uuid,
    created_at timestamptz,
    role "MessageRole",
    is_made boolean,
    message_id uuid,
    content text
) on commit delete rows;

create temporary table chunk_history (
    like pg_temp.chunk_lead,
    newest timestamptz,
    entries bigint,
    to_make bigint,
    made bigint,
    is_new boolean,
    conversation_id uuid
) on commit delete rows;

create temporary table followed (
    id uuid,
    customer_id uuid,
    last_message_at timestamptz
) on commit delete rows;

do $collected$
declare
    chunk constant text := coalesce(nullif(current_setting('batchgate.chunk', true), ''), '10000');
    entries constant bigint := (select sum(h.entries) from pg_temp.lead_history as h);
    leads constant bigint := (select count(*) from pg_temp.lead_history);
    created constant bigint := (
        select b.conversations_created
        from backfill.conversation_backfill_run as b
    );
begin
    raise notice '🚀 Starting Batch 4: Conversation and Message Backfill
   Mode: ✏️  WRITE
   Commits every % leads%

[1/4] Collecting message history from audit entries...
📊 Found % audit entries with a message role
🔗 Grouped into % leads with message history
',
        to_char(chunk::bigint, 'FM999,999,999'),
        case
            when created = 0 then ''
            else chr(10) || '   Goes on with a run that was cut off after '
                || to_char(created, 'FM999,999,999,999') || ' conversations'
        end,
        coalesce(entries, 0),
        leads;
end
$collected$;

-- What an index cannot hold is found by trying: it depends on how well a value compresses.
create temporary table conversation_probe
(like "Conversation" including all excluding constraints)
on commit drop;

create temporary table message_probe (like "Message" including all excluding constraints)
on commit drop;

do $in_the_way$
declare
    candidate record;
    refused bigint := 0;
    listed text;
begin
    for candidate in
        select
            l.id as lead_id,
            l.channel,
            e.external_id
        from pg_temp.lead_due as d
        join "Lead" as l
            on l.id = d.lead_id
        cross join lateral (
            select
                coalesce(
                    nullif(pg_temp.trimmed(l."messengerPsid"), ''),
                    pg_temp.phone_key(l.phone)
                ) as external_id
        ) as e
        where not d.has_conversation
            and octet_length(e.external_id) > 2000
        order by d.turn
    loop
        begin
            insert into pg_temp.conversation_probe (channel, external_id)
            values (candidate.channel, candidate.external_id);
            delete from pg_temp.conversation_probe;
        exception
            when program_limit_exceeded then
                refused := refused + 1;
                if refused <= 10 then
                    listed := coalesce(listed || chr(10), '') || 'lead ' || candidate.lead_id::text;
                end if;
        end;
    end loop;
    if refused > 0 then
        raise exception
            'Cannot backfill conversations: % a PSID or a phone too long for an index',
            case refused when 1 then '1 lead has' else refused::text || ' leads have' end
            using errcode = 'program_limit_exceeded',
                detail = listed || case
                    when refused > 10 then chr(10) || 'and ' || (refused - 10)::text || ' more'
                    else ''
                end,
                hint = 'Correct them, for example by update "Lead" set'
                    ' "messengerPsid" = left("messengerPsid", 500), phone = left(phone, 100)'
                    ' where greatest(octet_length("messengerPsid"), octet_length(phone)) > 2000;'
                    ' then run this again.';
    end if;
    for candidate in
        select
            a.id,
            gen_random_uuid() as conversation_id,
            pg_temp.role_of(a.actor) as role,
            pg_temp.content_of(a.action, a.payload) as content
        from "Audit" as a
        join pg_temp.lead_due as d
            on d.lead_id = a.lead_id
        left join pg_temp.made_message as m
            on m.audit_id = a.id::text
        where m.audit_id is null
            and pg_temp.role_of(a.actor) is not null
            and octet_length(pg_temp.content_of(a.action, a.payload)) > 100000
        order by
            a.created_at,
            a.id
    loop
        begin
            insert into pg_temp.message_probe (conversation_id, role, content)
            values (candidate.conversation_id, candidate.role, candidate.content);
            delete from pg_temp.message_probe;
        exception
            when program_limit_exceeded then
                refused := refused + 1;
                if refused <= 10 then
                    listed := coalesce(listed || chr(10), '')
                        || 'audit entry ' || candidate.id::text;
                end if;
        end;
    end loop;
    if refused > 0 then
        raise exception 'Cannot backfill conversations: % a text too long for an index',
            case refused
                when 1 then '1 audit entry has'
                else refused::text || ' audit entries have'
            end
            using errcode = 'program_limit_exceeded',
                detail = listed || case
                    when refused > 10 then chr(10) || 'and ' || (refused - 10)::text || ' more'
                    else ''
                end,
                hint = 'Shorten the text in their payload: a search index holds 1 MB of a text''s'
                    ' words. Or do without the search: run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/02_add_message_fts_index/rollback.sql, then run this again.';
    end if;
end
$in_the_way$;

commit;

do $backfill$
declare
    chunk constant bigint := coalesce(
        nullif(current_setting('batchgate.chunk', true), ''),
        '10000'
    )::bigint;
    is_verbose constant boolean := coalesce(
        current_setting('batchgate.verbose', true) = 'on',
        false
    );
    leads constant bigint := (select count(*) from pg_temp.lead_due);
    seed constant bigint := pg_catalog.uuid_hash_extended(gen_random_uuid(), 0);
    done bigint := 0;
    attempt int := 1;
    is_overtaken boolean;
    created record;
begin
    raise notice '[2/4] Creating conversations...';
    -- The last pass finds none: even one chunk is two transactions, to be stopped in between.
    loop
        begin
            insert into pg_temp.chunk_lead
            select
                l.*,
                d.is_on_record
            from pg_temp.lead_due as d
            cross join lateral (
                select
                    l.id,
                    l.channel,
                    l.customer_id,
                    l.created_at,
                    coalesce(
                        nullif(pg_temp.trimmed(l."messengerPsid"), ''),
                        pg_temp.phone_key(l.phone)
                    )
                from "Lead" as l
                where l.id = d.lead_id
                for key share
            ) as l
            where d.turn > done
                and d.turn <= done + chunk
            order by d.turn;

            -- By the index, lead by lead: to read all of the log for each chunk would not end.
            insert into pg_temp.chunk_audit
            select
                a.id,
                a.lead_id,
                a.created_at,
                a.role,
                a.is_made,
                pg_temp.made_id(seed, a.id, a.created_at),
                case when not a.is_made then pg_temp.content_of(a.action, a.payload) end
            from pg_temp.chunk_lead as l
            cross join lateral (
                select
                    a.*,
                    pg_temp.role_of(a.actor) as role,
                    exists (
                        select
                        from pg_temp.made_message as m
                        where m.audit_id = a.id::text
                        offset 0
                    ) as is_made
                from "Audit" as a
                where a.lead_id = l.lead_id
                offset 0
            ) as a
            where a.role is not null;

            if done = 0 then
                analyze pg_temp.chunk_lead, pg_temp.chunk_audit;
            end if;

            -- Read through jsonb, since closed_at comes with a later batch.
            insert into pg_temp.chunk_history
            select
                l.*,
                s.newest,
                s.entries,
                s.to_make,
                s.made,
                n.is_new,
                case
                    when n.is_new then pg_temp.made_id(seed, l.lead_id, l.created_at)
                    else k.id
                end
            from (
                select
                    a.lead_id,
                    max(a.created_at) filter (where a.content is not null) as newest,
                    count(*) as entries,
                    count(*) filter (where a.content is not null) as to_make,
                    count(*) filter (where a.is_made) as made
                from pg_temp.chunk_audit as a
                group by a.lead_id
            ) as s
            join pg_temp.chunk_lead as l
                on l.lead_id = s.lead_id
            left join lateral (
                select c.id
                from "Conversation" as c
                where c.lead_id = l.lead_id
                order by
                    pg_catalog.to_jsonb(c) ->> 'closed_at' is not null,
                    c.started_at desc,
                    c.id desc
                limit 1
            ) as k
                on true
            cross join lateral (
                select
                    k.id is null
                        and (s.newest is not null or not (s.made > 0 or l.is_on_record)) as is_new
            ) as n;

            if done = 0 then
                analyze pg_temp.chunk_history;
            end if;

            insert into "Conversation" (
                id,
                customer_id,
                lead_id,
                channel,
                external_id,
                started_at,
                last_message_at,
                metadata
            )
            select
                h.conversation_id,
                h.customer_id,
                h.lead_id,
                h.channel,
                case when h.turn = 1 and t.id is null then h.external_id end,
                h.created_at,
                h.newest,
                case
                    when h.external_id is null or (h.turn = 1 and t.id is null)
                        then '{"source": "audit_backfill"}'::jsonb
                    else pg_catalog.jsonb_build_object(
                        'source', 'audit_backfill',
                        'note', 'external_id ' || h.external_id
                            || ' belongs to another conversation'
                    )
                end
            from (
                select
                    n.*,
                    row_number() over (
                        partition by
                            n.channel,
                            n.external_id
                        order by
                            n.created_at,
                            n.lead_id
                    ) as turn
                from pg_temp.chunk_history as n
                where n.is_new
            ) as h
            left join lateral (
                select c.id
                from "Conversation" as c
                where c.channel = h.channel
                    and c.external_id = h.external_id
                offset 0
            ) as t
                on true
            order by
                h.created_at,
                h.lead_id;

            insert into backfill.conversation_backfill (entity, id, lead_id, customer_id)
            select
                'conversation',
                h.conversation_id,
                h.lead_id,
                h.customer_id
            from pg_temp.chunk_history as h
            where h.is_new;

            insert into "Message" (id, conversation_id, role, content, metadata, created_at)
            select
                a.message_id,
                h.conversation_id,
                a.role,
                a.content,
                ('{"source": "audit_backfill", "auditId": "' || a.id::text || '"}')::jsonb,
                a.created_at
            from pg_temp.chunk_audit as a
            join pg_temp.chunk_history as h
                on h.lead_id = a.lead_id
            where a.content is not null;

            insert into backfill.conversation_backfill (entity, id, audit_id)
            select
                'message',
                a.message_id,
                a.id
            from pg_temp.chunk_audit as a
            where a.content is not null
            order by a.message_id;

            -- What an earlier run made follows its lead, to a customer once.
            insert into pg_temp.followed
            select
                c.id,
                case
                    when c.customer_id is null and r.customer_id is null then h.customer_id
                    else c.customer_id
                end,
                greatest(c.last_message_at, h.newest)
            from pg_temp.chunk_history as h
            join backfill.conversation_backfill as r
                on r.entity = 'conversation'
                and r.id = h.conversation_id
            join "Conversation" as c
                on c.id = r.id
            where not h.is_new
                and (
                    (c.customer_id is null and r.customer_id is null and h.customer_id is not null)
                    or h.newest > c.last_message_at
                    or (h.newest is not null and c.last_message_at is null)
                )
            for no key update of c;

            update "Conversation" as c
            set
                customer_id = f.customer_id,
                last_message_at = f.last_message_at
            from pg_temp.followed as f
            where c.id = f.id;

            update backfill.conversation_backfill as r
            set customer_id = f.customer_id
            from pg_temp.followed as f
            where r.entity = 'conversation'
                and r.id = f.id
                and r.customer_id is null
                and f.customer_id is not null;

            update backfill.conversation_backfill_run as b
            set
                conversations_created = b.conversations_created + h.conversations_created,
                conversations_followed = b.conversations_followed + f.conversations_followed,
                messages_created = b.messages_created + h.messages_created
            from (
                select
                    count(*) filter (where h.is_new) as conversations_created,
                    coalesce(sum(h.to_make), 0) as messages_created
                from pg_temp.chunk_history as h
            ) as h
            cross join (
                select count(*) as conversations_followed
                from pg_temp.followed
            ) as f;

            update pg_temp.backfill_stats as s
            set
                conversations_skipped = s.conversations_skipped + h.conversations_skipped,
                messages_skipped = s.messages_skipped + h.made,
                audits_processed = s.audits_processed + h.entries,
                audits_skipped = s.audits_skipped + h.entries - h.made - h.to_make
            from (
                select
                    count(*) filter (where not h.is_new and h.conversation_id is not null)
                        as conversations_skipped,
                    coalesce(sum(h.entries), 0) as entries,
                    coalesce(sum(h.made), 0) as made,
                    coalesce(sum(h.to_make), 0) as to_make
                from pg_temp.chunk_history as h
            ) as h;

            is_overtaken := false;
        exception
            -- The application opened the same conversation, or took a customer away, meanwhile.
            when unique_violation or foreign_key_violation or deadlock_detected then
                if attempt = 3 then
                    raise;
                end if;
                is_overtaken := true;
        end;
        if is_overtaken then
            rollback;
            attempt := attempt + 1;
            continue;
        end if;
        if is_verbose then
            for created in
                select
                    left(h.conversation_id::text, 8) as id,
                    h.channel,
                    h.to_make
                from pg_temp.chunk_history as h
                where h.is_new
                order by
                    h.created_at,
                    h.lead_id
            loop
                raise notice '   ✓ Created conversation %... (%, % message%)',
                    created.id, created.channel, created.to_make,
                    case when created.to_make = 1 then '' else 's' end;
            end loop;
        end if;
        commit;
        exit when done >= leads;
        attempt := 1;
        done := least(done + chunk, leads);
        raise notice '   % of % leads', to_char(done, 'FM999,999,999,999'),
            to_char(leads, 'FM999,999,999,999');
    end loop;
end
$backfill$;

do $done$
declare
    s record;
    entry uuid;
begin
    select
        b.conversations_created,
        greatest(t.conversations_skipped, 0) as conversations_skipped,
        b.messages_created,
        greatest(t.messages_skipped, 0) as messages_skipped,
        t.audits_processed,
        t.audits_skipped,
        b.conversations_created + b.messages_created + b.conversations_followed > 0 as is_change
    into s
    from pg_temp.backfill_stats as t
    cross join backfill.conversation_backfill_run as b;

    if s.is_change then
        insert into "Audit" (actor, action, payload)
        values (
            'system',
            'backfill_conversations_messages',
            pg_catalog.jsonb_build_object(
                'timestamp', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                'stats', pg_catalog.jsonb_build_object(
                    'conversationsCreated', s.conversations_created,
                    'conversationsSkipped', s.conversations_skipped,
                    'messagesCreated', s.messages_created,
                    'messagesSkipped', s.messages_skipped,
                    'auditsProcessed', s.audits_processed,
                    'auditsSkipped', s.audits_skipped,
                    'errors', pg_catalog.jsonb_build_array()
                ),
                'script', '04_backfill_conversations_messages',
                'version', 'batch-4'
            )
        )
        returning id into entry;

        insert into backfill.conversation_backfill (entity, id)
        values ('audit', entry);
    end if;

    drop table backfill.conversation_backfill_run;

    raise notice '   ✓ Created % conversation(s)

[3/4] Creating messages...
   ✓ Created % message(s)

[4/4] Recording audit log...
   %

✅ BACKFILL COMPLETE

📊 Statistics:
   Conversations created:  %
   Conversations reused:   %
   Messages created:       %
   Messages already made:  %
   Audits processed:       %
   Audits skipped:         %
   Errors:                 0',
        s.conversations_created,
        s.messages_created,
        case when s.is_change
            then '✓ Audit log created' else 'Nothing changed, nothing to record' end,
        s.conversations_created, s.conversations_skipped, s.messages_created, s.messages_skipped,
        s.audits_processed, s.audits_skipped;
end
$done$;

do $turn$
begin
    perform pg_advisory_unlock(pg_catalog.hashtextextended('backfill', 0));
end
$turn$;

drop table
    pg_temp.made_message,
    pg_temp.lead_history,
    pg_temp.lead_due,
    pg_temp.backfill_stats,
    pg_temp.chunk_lead,
    pg_temp.chunk_audit,
    pg_temp.chunk_history,
    pg_temp.followed;

drop function pg_temp.content_of(text, jsonb);
drop function pg_temp.role_of(text);
drop function pg_temp.made_id(bigint, uuid, timestamptz);
drop function pg_temp.text_under(text, jsonb);
drop function pg_temp.phone_key(text);
drop function pg_temp.digits(text);
drop function pg_temp.trimmed(text);

reset search_path;
reset client_min_messages;
reset quote_all_identifiers;
reset row_security;
reset work_mem;
reset jit;
reset default_transaction_isolation;
