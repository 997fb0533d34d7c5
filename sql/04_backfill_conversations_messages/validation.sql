-- Proven: the record stands as batch 4 defines it, and message history is complete and made once.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $preflight$
begin
    if (to_regclass('backfill.conversation_backfill') is not null) is not true then
        raise exception 'Cannot validate 04_backfill_conversations_messages: it is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/04_backfill_conversations_messages/migration.sql first.';
    end if;
    if to_regclass('backfill.conversation_backfill_run') is not null then
        raise exception 'Cannot validate 04_backfill_conversations_messages: its online route is'
            ' not finished'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/04_backfill_conversations_messages/migration.online.sql again;'
                    ' it goes on.';
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
        raise exception '=== TEST 1: Record Table ===
✗ FAIL: backfill.conversation_backfill has another definition: %', definition;
    end if;
    raise notice '=== TEST 1: Record Table ===
✓ PASS: backfill.conversation_backfill is defined as batch 4 defines it';
end
$record$;

do $tests$
declare
    test record;
    failed int := 0;
begin
    for test in
        with sources as (
            select
                a.id::text as id,
                a.lead_id,
                a.created_at,
                r.role,
                a.payload::text in ('null', '{}', '[]', '""') as shows_nothing
            from "Audit" as a
            join (
                values
                    ('customer', 'user'),
                    ('user', 'user'),
                    ('agent', 'assistant'),
                    ('assistant', 'assistant'),
                    ('system', 'system'),
                    ('tool', 'tool')
            ) as r (actor, role)
                on r.actor = a.actor
            where a.lead_id is not null
        ),
        conversations as (
            select
                c.id,
                c.lead_id,
                c.last_message_at,
                c.metadata
            from backfill.conversation_backfill as r
            join "Conversation" as c
                on c.id = r.id
            where r.entity = 'conversation'
        ),
        messages as (
            select
                m.conversation_id,
                m.role,
                m.created_at,
                m.metadata,
                r.audit_id::text as audit_id
            from backfill.conversation_backfill as r
            join "Message" as m
                on m.id = r.id
            where r.entity = 'message'
        ),
        made as (
            select r.audit_id::text as audit_id
            from backfill.conversation_backfill as r
            where r.entity = 'message'
            union
            select m.metadata ->> 'auditId'
            from "Message" as m
        ),
        leads as (
            select
                s.lead_id,
                bool_or(c.id is not null) as has_conversation,
                bool_or(r.id is not null or m.audit_id is not null) as is_on_record
            from sources as s
            left join "Conversation" as c
                on c.lead_id = s.lead_id
            left join backfill.conversation_backfill as r
                on r.entity = 'conversation'
                and r.lead_id = s.lead_id
            left join made as m
                on m.audit_id = s.id
            group by s.lead_id
        ),
        newest as (
            select
                c.id,
                c.last_message_at,
                max(m.created_at) as created_at
            from conversations as c
            join messages as m
                on m.conversation_id = c.id
            group by
                c.id,
                c.last_message_at
        ),
        entries as (
            select
                count(*) filter (where r.entity <> 'audit') as changes,
                count(*) filter (
                    where a.action = 'backfill_conversations_messages'
                        and a.payload ->> 'version' = 'batch-4'
                        and a.payload -> 'stats' ?& array['conversationsCreated',
                            'conversationsSkipped', 'messagesCreated', 'messagesSkipped',
                            'auditsProcessed', 'auditsSkipped', 'errors']
                ) as logged
            from backfill.conversation_backfill as r
            left join "Audit" as a
                on r.entity = 'audit'
                and a.id = r.id
        )
        select
            2 as number,
            'Conversations Created' as title,
            count(*) as looked_at,
            count(*) filter (where c.metadata ->> 'source' is distinct from 'audit_backfill')
                as wrong,
            count(*)::text || ' conversation(s) created, each naming its source' as pass,
            'conversation(s) of the backfill without their source' as fail
        from conversations as c
        union all
        select
            3,
            'Conversation Coverage',
            count(*),
            count(*) filter (where not l.has_conversation and not l.is_on_record),
            case
                when bool_and(l.has_conversation)
                    then pg_catalog.format(
                        '%s/%1$s (100%%) leads with history have a conversation',
                        count(*)
                    )
                else pg_catalog.format(
                    '%s/%s leads with history have a conversation, %s lost theirs since',
                    count(*) filter (where l.has_conversation),
                    count(*),
                    count(*) filter (where not l.has_conversation)
                )
            end,
            pg_catalog.format('of %s lead(s) with history have no conversation', count(*))
        from leads as l
        union all
        select
            4,
            'Message Coverage',
            count(*),
            count(*) filter (where m.audit_id is null),
            pg_catalog.format(
                '%s/%1$s (100%%) audit entries with something to show made into messages',
                count(*)
            ),
            pg_catalog.format('of %s audit entry(s) not made into messages', count(*))
        from sources as s
        left join made as m
            on m.audit_id = s.id
        where not s.shows_nothing
        union all
        select
            5,
            'One Message per Audit Entry',
            count(*),
            pg_catalog.count(m.metadata ->> 'auditId')
                - pg_catalog.count(distinct m.metadata ->> 'auditId'),
            'No audit entry made into two messages',
            'message(s) too many for their audit entries'
        from "Message" as m
        where m.metadata ->> 'source' = 'audit_backfill'
        union all
        select
            6,
            'Message Roles and Times',
            count(*),
            count(*) filter (
                where m.role::text <> s.role
                    or m.created_at <> s.created_at
                    or m.metadata ->> 'auditId' is distinct from m.audit_id
            ),
            count(*)::text || ' message(s) with the role and time of their audit entry',
            'message(s) that differ from their audit entry'
        from messages as m
        join sources as s
            on s.id = m.audit_id
        union all
        select
            7,
            'Last Message',
            count(*),
            count(*) filter (where n.last_message_at < n.created_at or n.last_message_at is null),
            'No conversation is older than its newest message',
            'conversation(s) older than their newest message'
        from newest as n
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
        raise exception 'Batch 4 is not valid: % of 8 tests failed', failed
            using hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                ' -f sql/04_backfill_conversations_messages/migration.sql again;'
                ' it makes what is new.';
    end if;
end
$tests$;

rollback;
