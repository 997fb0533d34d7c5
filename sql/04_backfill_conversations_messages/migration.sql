-- Every lead with message history has a conversation, every audit entry of it its message.
-- requires: 03_backfill_customers
-- present: to_regclass('backfill.conversation_backfill') is not null and to_regclass('backfill.conversation_backfill_run') is null

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;
-- Sorts and joins over all leads, and new words for the search index, a larger lot at a time.
set local work_mem = '128MB';
set local gin_pending_list_limit = '16MB';
-- The key of the record is made by one sort over all that was made.
set local maintenance_work_mem = '256MB';
-- Entries are read from the first on, also where another session reads them already: made in the
-- order of their times, messages fill the pages of their indexes.
set local synchronize_seqscans = off;
-- To compile what runs once takes longer than to run it.
set local jit = off;

do $preflight$
begin
    perform pg_advisory_xact_lock(pg_catalog.hashtextextended('backfill', 0));
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
    -- Its key comes when its rows are in: one sort of all takes less than a walk for each.
    if to_regclass('backfill.conversation_backfill') is null then
        create table backfill.conversation_backfill (
            entity text not null check (entity in ('conversation', 'message', 'audit')),
            id uuid not null,
            lead_id uuid,
            customer_id uuid,
            audit_id uuid
        );
    end if;
end
$definition$;

-- What an online route that was cut off has done already counts as done by this run.
create temporary table backfill_run on commit drop as
select
    pg_catalog.uuid_hash_extended(gen_random_uuid(), 0) as seed,
    0::bigint as conversations_created,
    0::bigint as conversations_followed,
    0::bigint as messages_created;

do $unfinished$
begin
    if to_regclass('backfill.conversation_backfill_run') is not null then
        update pg_temp.backfill_run as r
        set
            conversations_created = u.conversations_created,
            conversations_followed = u.conversations_followed,
            messages_created = u.messages_created
        from backfill.conversation_backfill_run as u;
        drop table backfill.conversation_backfill_run;
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

create function pg_temp.text_under(key text, payload jsonb) returns text
language sql immutable
return case
    when jsonb_typeof(payload -> key) = 'string' and pg_temp.trimmed(payload ->> key) <> ''
        then payload ->> key
end;

-- Of version 7: by its own time, so that indexes grow at their end, and for the rest as random as
-- the seed. To ask the system for each at random takes several times as long.
create function pg_temp.made_id(seed bigint, source uuid, at timestamptz) returns uuid
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

-- Content stays null where an entry has nothing to show, and where its message is made already.
create temporary table audit_snapshot on commit drop as
with made as (
    select r.audit_id::text as audit_id
    from backfill.conversation_backfill as r
    where r.entity = 'message'
    union
    select m.metadata ->> 'auditId'
    from "Message" as m
    where m.metadata ->> 'auditId' is not null
)
select
    a.id,
    a.lead_id,
    a.created_at,
    r.role,
    m.audit_id is not null as is_made,
    pg_temp.made_id((select b.seed from pg_temp.backfill_run as b), a.id, a.created_at)
        as message_id,
    case
        when m.audit_id is not null or a.payload in ('null', '{}', '[]', '""') then null
        else coalesce(
            pg_temp.text_under('text', a.payload),
            pg_temp.text_under('message', a.payload),
            pg_temp.text_under('content', a.payload),
            case
                when a.action in ('message_sent', 'message_received')
                    then pg_temp.text_under('body', a.payload)
            end,
            left(a.payload::text, 1000)
        )
    end as content
from "Audit" as a
join (
    values
        ('customer', 'user'::"MessageRole"),
        ('user', 'user'),
        ('agent', 'assistant'),
        ('assistant', 'assistant'),
        ('system', 'system'),
        ('tool', 'tool')
) as r (actor, role)
    on r.actor = a.actor
left join made as m
    on m.audit_id = a.id::text
where a.lead_id is not null;

analyze pg_temp.audit_snapshot (lead_id);

-- Read through jsonb, since closed_at comes with a later batch: without it all are open.
create temporary table known_conversation on commit drop as
select distinct on (c.lead_id)
    c.lead_id,
    c.id as conversation_id
from "Conversation" as c
where c.lead_id is not null
order by
    c.lead_id,
    pg_catalog.to_jsonb(c) ->> 'closed_at' is not null,
    c.started_at desc,
    c.id desc;

analyze pg_temp.known_conversation;

-- A lead on record whose conversation is gone gets another one for what is new only.
create temporary table lead_history on commit drop as
select
    l.id as lead_id,
    l.channel,
    l.customer_id,
    l.created_at,
    coalesce(nullif(pg_temp.trimmed(l."messengerPsid"), ''), pg_temp.phone_key(l.phone))
        as external_id,
    s.newest,
    s.entries,
    s.to_make,
    s.made,
    n.is_new,
    case
        when n.is_new then pg_temp.made_id(
            (select b.seed from pg_temp.backfill_run as b),
            l.id,
            l.created_at
        )
        else k.conversation_id
    end as conversation_id
from (
    select
        a.lead_id,
        max(a.created_at) filter (where a.content is not null) as newest,
        count(*) as entries,
        count(*) filter (where a.content is not null) as to_make,
        count(*) filter (where a.is_made) as made
    from pg_temp.audit_snapshot as a
    group by a.lead_id
) as s
join "Lead" as l
    on l.id = s.lead_id
left join pg_temp.known_conversation as k
    on k.lead_id = s.lead_id
left join (
    select distinct r.lead_id
    from backfill.conversation_backfill as r
    where r.entity = 'conversation'
) as m
    on m.lead_id = s.lead_id
cross join lateral (
    select
        k.conversation_id is null
            and (s.newest is not null or not (s.made > 0 or m.lead_id is not null)) as is_new
) as n
for key share of l;

analyze pg_temp.lead_history;

do $collected$
declare
    entries bigint := (select coalesce(sum(h.entries), 0) from pg_temp.lead_history as h);
    leads bigint := (select count(*) from pg_temp.lead_history);
begin
    raise notice '🚀 Starting Batch 4: Conversation and Message Backfill
   Mode: %

[1/4] Collecting message history from audit entries...
📊 Found % audit entries with a message role
🔗 Grouped into % leads with message history
',
        case current_setting('batchgate.dry_run', true)
            when 'on' then '🔍 DRY RUN'
            else '✏️  WRITE'
        end,
        entries,
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
            h.lead_id,
            h.channel,
            h.external_id
        from pg_temp.lead_history as h
        where h.is_new
            and octet_length(h.external_id) > 2000
        order by
            h.created_at,
            h.lead_id
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
            h.conversation_id,
            a.role,
            a.content
        from pg_temp.audit_snapshot as a
        join pg_temp.lead_history as h
            on h.lead_id = a.lead_id
        where octet_length(a.content) > 100000
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

-- One conversation of a channel can bear an external id: the oldest lead's, unless it is taken.
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
            'note', 'external_id ' || h.external_id || ' belongs to another conversation'
        )
    end
from (
    select
        n.*,
        row_number() over (
            partition by
                n.channel,
                n.external_id collate "C"
            order by
                n.created_at,
                n.lead_id
        ) as turn
    from pg_temp.lead_history as n
    where n.is_new
) as h
left join "Conversation" as t
    on t.channel = h.channel
    and t.external_id = h.external_id
order by
    h.created_at,
    h.lead_id;

insert into backfill.conversation_backfill (entity, id, lead_id, customer_id)
select
    'conversation',
    h.conversation_id,
    h.lead_id,
    h.customer_id
from pg_temp.lead_history as h
where h.is_new;

do $created$
declare
    created record;
begin
    if current_setting('batchgate.verbose', true) = 'on' then
        raise notice '[2/4] Creating conversations...';
        for created in
            select
                left(h.conversation_id::text, 8) as id,
                h.channel,
                h.to_make
            from pg_temp.lead_history as h
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
end
$created$;

insert into "Message" (id, conversation_id, role, content, metadata, created_at)
select
    a.message_id,
    h.conversation_id,
    a.role,
    a.content,
    -- Takes a third of the time of jsonb_build_object().
    ('{"source": "audit_backfill", "auditId": "' || a.id::text || '"}')::jsonb,
    a.created_at
from pg_temp.audit_snapshot as a
join pg_temp.lead_history as h
    on h.lead_id = a.lead_id
where a.content is not null;

insert into backfill.conversation_backfill (entity, id, audit_id)
select
    'message',
    a.message_id,
    a.id
from pg_temp.audit_snapshot as a
join pg_temp.lead_history as h
    on h.lead_id = a.lead_id
where a.content is not null;

do $key$
begin
    if not exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid = 'backfill.conversation_backfill'::regclass
            and c.contype = 'p'
    ) then
        alter table backfill.conversation_backfill add primary key (entity, id);
    end if;
end
$key$;

-- What an earlier run made follows its lead, to a customer once; the rest is the application's.
create temporary table followed on commit drop as
select
    c.id,
    case
        when c.customer_id is null and r.customer_id is null then h.customer_id
        else c.customer_id
    end as customer_id,
    greatest(c.last_message_at, h.newest) as last_message_at
from pg_temp.lead_history as h
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

-- What the online route made before it was cut off was met again here as made already.
create temporary table backfill_stats on commit drop as
select
    h.conversations_created + b.conversations_created as conversations_created,
    greatest(h.conversations_skipped - b.conversations_created, 0) as conversations_skipped,
    h.messages_created + b.messages_created as messages_created,
    greatest(h.messages_skipped - b.messages_created, 0) as messages_skipped,
    h.audits_processed,
    h.audits_processed - h.messages_created - h.messages_skipped as audits_skipped,
    h.conversations_created + h.messages_created + f.conversations_followed
        + b.conversations_created + b.messages_created + b.conversations_followed > 0 as is_change
from (
    select
        count(*) filter (where h.is_new) as conversations_created,
        count(*) filter (where not h.is_new and h.conversation_id is not null)
            as conversations_skipped,
        coalesce(sum(h.to_make), 0) as messages_created,
        coalesce(sum(h.made), 0) as messages_skipped,
        coalesce(sum(h.entries), 0) as audits_processed
    from pg_temp.lead_history as h
) as h
cross join (
    select count(*) as conversations_followed
    from pg_temp.followed
) as f
cross join pg_temp.backfill_run as b;

with made as (
    insert into "Audit" (actor, action, payload)
    select
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
    from pg_temp.backfill_stats as s
    where s.is_change
    returning id
)
insert into backfill.conversation_backfill (entity, id)
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
    raise notice '%   ✓ Created % conversation(s)

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
        case
            when current_setting('batchgate.verbose', true) = 'on' then ''
            else '[2/4] Creating conversations...' || chr(10)
        end,
        s.conversations_created,
        s.messages_created,
        case when s.is_change
            then '✓ Audit log created' else 'Nothing changed, nothing to record' end,
        s.conversations_created, s.conversations_skipped, s.messages_created, s.messages_skipped,
        s.audits_processed, s.audits_skipped;
end
$done$;

-- Whoever searches next, or writes next, would go through the list that is left.
do $listed$
begin
    perform gin_clean_pending_list(i.indexrelid)
    from pg_catalog.pg_index as i
    join pg_catalog.pg_class as c
        on c.oid = i.indexrelid
    join pg_catalog.pg_am as m
        on m.oid = c.relam
    where i.indrelid = '"Message"'::regclass
        and i.indisready
        and m.amname = 'gin'
        and pg_has_role(c.relowner, 'usage');
end
$listed$;

drop function pg_temp.made_id(bigint, uuid, timestamptz);
drop function pg_temp.text_under(text, jsonb);
drop function pg_temp.phone_key(text);
drop function pg_temp.digits(text);
drop function pg_temp.trimmed(text);

commit;
