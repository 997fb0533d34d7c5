-- Every lead with message history has a conversation, every audit entry of it its message.
-- requires: 03_backfill_customers
-- present: to_regclass('backfill.conversation_backfill') is not null

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $preflight$
begin
    perform pg_advisory_xact_lock(pg_catalog.hashtextextended('backfill', 0));
    if (to_regclass('backfill.customer_backfill') is not null) is not true then
        raise exception 'Cannot backfill conversations: 03_backfill_customers is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/03_backfill_customers/migration.sql first.';
    end if;
    if to_regclass('backfill.conversation_backfill') is not null then
        return;
    end if;
    create table backfill.conversation_backfill (
        entity text not null check (entity in ('conversation', 'message', 'audit')),
        id uuid not null,
        lead_id uuid,
        customer_id uuid,
        audit_id uuid,
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
            where a.attrelid = to_regclass('backfill.conversation_backfill')
                and a.attnum > 0
                and not a.attisdropped
            union all
            select
                100,
                pg_get_constraintdef(c.oid)
            from pg_catalog.pg_constraint as c
            where c.conrelid = to_regclass('backfill.conversation_backfill')
                and c.contype <> 'n'
        ) as d
    );
begin
    if definition is distinct from
        'entity text not null, id uuid not null, lead_id uuid, customer_id uuid, audit_id uuid,'
        ' CHECK ((entity = ANY (ARRAY[''conversation''::text, ''message''::text,'
        ' ''audit''::text]))), PRIMARY KEY (entity, id)'
    then
        raise exception 'Cannot backfill conversations: backfill.conversation_backfill is not as'
            ' this batch makes it'
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

create function pg_temp.text_under(key text, payload jsonb) returns text
language sql immutable
return case
    when jsonb_typeof(payload -> key) = 'string' and pg_temp.trimmed(payload ->> key) <> ''
        then payload ->> key
end;

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
    gen_random_uuid() as message_id,
    case
        when m.audit_id is not null or a.payload::text in ('null', '{}', '[]', '""') then null
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

analyze pg_temp.audit_snapshot;

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
    n.is_new,
    case when n.is_new then gen_random_uuid() else k.conversation_id end as conversation_id
from (
    select
        a.lead_id,
        max(a.created_at) filter (where a.content is not null) as newest,
        bool_or(a.is_made) as is_on_record
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
            and (s.newest is not null or not (s.is_on_record or m.lead_id is not null)) as is_new
) as n
for key share of l;

analyze pg_temp.lead_history;

do $collected$
declare
    entries bigint := (select count(*) from pg_temp.audit_snapshot);
    leads bigint := (select count(*) from pg_temp.lead_history);
begin
    raise notice '🚀 Starting Batch 4: Conversation and Message Backfill
   Mode: ✏️  WRITE

[1/4] Collecting message history from audit entries...
📊 Found % audit entries with a message role
🔗 Grouped into % leads with message history
', entries, leads;
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
            then pg_catalog.jsonb_build_object('source', 'audit_backfill')
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
                n.external_id
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

insert into "Message" (id, conversation_id, role, content, metadata, created_at)
select
    a.message_id,
    h.conversation_id,
    a.role,
    a.content,
    pg_catalog.jsonb_build_object('source', 'audit_backfill', 'auditId', a.id),
    a.created_at
from pg_temp.audit_snapshot as a
join pg_temp.lead_history as h
    on h.lead_id = a.lead_id
where a.content is not null
order by
    a.created_at,
    a.id;

insert into backfill.conversation_backfill (entity, id, audit_id)
select
    'message',
    a.message_id,
    a.id
from pg_temp.audit_snapshot as a
join pg_temp.lead_history as h
    on h.lead_id = a.lead_id
where a.content is not null;

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
where (c.customer_id is null and r.customer_id is null and h.customer_id is not null)
    or h.newest > c.last_message_at
    or (h.newest is not null and c.last_message_at is null)
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

create temporary table backfill_stats on commit drop as
select
    h.conversations_created,
    h.conversations_skipped,
    a.messages_created,
    a.messages_skipped,
    a.audits_processed,
    a.audits_processed - a.messages_created - a.messages_skipped as audits_skipped,
    h.conversations_created + a.messages_created + f.conversations_followed > 0 as is_change
from (
    select
        count(*) filter (where h.is_new) as conversations_created,
        count(*) filter (where not h.is_new and h.conversation_id is not null)
            as conversations_skipped
    from pg_temp.lead_history as h
) as h
cross join (
    select
        count(*) as audits_processed,
        count(*) filter (where a.content is not null) as messages_created,
        count(*) filter (where a.is_made) as messages_skipped
    from pg_temp.audit_snapshot as a
    join pg_temp.lead_history as h
        on h.lead_id = a.lead_id
) as a
cross join (
    select count(*) as conversations_followed
    from pg_temp.followed
) as f;

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
    raise notice '[2/4] Creating conversations...
   ✓ Created % conversation(s)

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

drop function pg_temp.text_under(text, jsonb);
drop function pg_temp.phone_key(text);
drop function pg_temp.trimmed(text);

commit;
