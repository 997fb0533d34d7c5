-- Lost: the messages and conversations that batch 4 made, unless something else needs them.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $preflight$
begin
    perform pg_advisory_xact_lock(pg_catalog.hashtextextended('backfill', 0));
    if (to_regclass('backfill.conversation_backfill') is not null) is not true then
        raise exception 'Cannot roll back 04_backfill_conversations_messages: it is not applied'
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'There is nothing to roll back.';
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
        raise exception 'Cannot roll back 04_backfill_conversations_messages: what stands is not'
            ' what it made'
            using errcode = 'object_not_in_prerequisite_state',
                detail = made.definition,
                hint = 'This batch did not make ' || made.name || ' as it stands.'
                    ' Bring its definition back, then run this again.';
    end loop;
end
$definition$;

-- Takes out of the doomed what a foreign key refers to, also one that came after this batch.
create procedure pg_temp.spare_referred(home regclass)
language plpgsql
as $spare$
declare
    reference record;
begin
    for reference in
        select
            c.conrelid::regclass as referrer,
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
            and c.confrelid = home
        group by
            c.oid,
            c.conrelid
        order by c.oid
    loop
        execute pg_catalog.format(
            'delete from pg_temp.doomed as d using %s as h'
            ' where d.home = %L::regclass and d.id = h.id'
            ' and exists (select from %s as f where %s)',
            home, home, reference.referrer, reference.is_same
        );
    end loop;
end
$spare$;

-- Locked, so that nothing can begin to refer to them between the look and the deletion.
create temporary table doomed on commit drop as
with conversations as (
    select c.id
    from "Conversation" as c
    join backfill.conversation_backfill as r
        on r.entity = 'conversation'
        and r.id = c.id
    for update of c
),
messages as (
    select m.id
    from "Message" as m
    join backfill.conversation_backfill as r
        on r.entity = 'message'
        and r.id = m.id
    for update of m
),
audits as (
    select a.id
    from "Audit" as a
    join backfill.conversation_backfill as r
        on r.entity = 'audit'
        and r.id = a.id
    for update of a
)
select
    '"Conversation"'::regclass as home,
    c.id
from conversations as c
union all
select
    '"Message"'::regclass,
    m.id
from messages as m
union all
select
    '"Audit"'::regclass,
    a.id
from audits as a;

analyze pg_temp.doomed;

do $messages$
declare
    made bigint := (select count(*) from pg_temp.doomed where home = '"Message"'::regclass);
    messages bigint;
begin
    call pg_temp.spare_referred('"Message"');
    messages := (select count(*) from pg_temp.doomed where home = '"Message"'::regclass);
    raise notice 'Messages to delete: % (% stay, something refers to them)',
        messages, made - messages;
end
$messages$;

delete from "Message" as m
using pg_temp.doomed as d
where d.home = '"Message"'::regclass
    and m.id = d.id;

do $conversations$
declare
    made bigint := (select count(*) from pg_temp.doomed where home = '"Conversation"'::regclass);
    conversations bigint;
    entries bigint;
begin
    call pg_temp.spare_referred('"Conversation"');
    call pg_temp.spare_referred('"Audit"');
    -- The notes name their conversation without a foreign key.
    delete from pg_temp.doomed as d
    using "MemoryNote" as n
    where d.home = '"Conversation"'::regclass
        and n.conversation_id = d.id;
    conversations := (select count(*) from pg_temp.doomed where home = '"Conversation"'::regclass);
    entries := (select count(*) from pg_temp.doomed where home = '"Audit"'::regclass);
    raise notice 'Conversations to delete: % (% stay, the application uses them)',
        conversations, made - conversations;
    raise notice 'Audit entries to delete, and the record with them: %', entries;
end
$conversations$;

delete from "Conversation" as c
using pg_temp.doomed as d
where d.home = '"Conversation"'::regclass
    and c.id = d.id;

delete from "Audit" as a
using pg_temp.doomed as d
where d.home = '"Audit"'::regclass
    and a.id = d.id;

do $record$
declare
    dependents text;
begin
    -- Of an online route that was cut off.
    if to_regclass('backfill.conversation_backfill_run') is not null then
        drop table backfill.conversation_backfill_run;
    end if;
    drop table backfill.conversation_backfill;
exception
    when dependent_objects_still_exist then
        get stacked diagnostics dependents = pg_exception_detail;
        raise exception 'Cannot roll back 04_backfill_conversations_messages: something depends on'
            ' backfill.conversation_backfill'
            using errcode = 'dependent_objects_still_exist',
                detail = dependents,
                hint = 'This batch did not make it. Drop it, then run this again.';
end
$record$;

drop procedure pg_temp.spare_referred(regclass);

commit;
