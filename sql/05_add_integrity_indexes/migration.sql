-- A lead has at most one open conversation, and the newest messages and conversations come first.
-- requires: 01_add_memory_entities
-- present: exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped) and to_regclass('public."Message_conversation_id_created_at_idx_ascending"') is null

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

-- Writers take these tables in orders of their own, and whoever holds one and waits for another is
-- half a deadlock: so the wait is short, and all is given back before it is asked for again.
do $$
declare
    patience constant interval := current_setting('lock_timeout');
    until constant timestamptz := case
        when patience > '0' then clock_timestamp() + patience
        else 'infinity'
    end;
begin
    if to_regclass('public."Conversation"') is null
        or to_regclass('public."Message"') is null
        or exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped)
    then
        return;
    end if;

    loop
        begin
            lock table "Conversation" in access exclusive mode;
            set local lock_timeout = '400ms';
            lock table "Message" in access exclusive mode;
            exit;
        exception
            when lock_not_available then
                if clock_timestamp() >= until then
                    raise;
                end if;
        end;
    end loop;
end
$$;

do $$
declare
    recency constant text := (
        select pg_catalog.concat_ws(
            ' ',
            pg_catalog.pg_get_indexdef(i.indexrelid),
            case when i.indisclustered then 'CLUSTER' end,
            'TABLESPACE ' || nullif(t.spcname, current_setting('default_tablespace')),
            'COMMENT ' || quote_literal(obj_description(i.indexrelid, 'pg_class'))
        )
        from pg_catalog.pg_index as i
        join pg_catalog.pg_class as c
            on c.oid = i.indexrelid
        left join pg_catalog.pg_tablespace as t
            on t.oid = c.reltablespace
        where i.indexrelid = to_regclass('public."Message_conversation_id_created_at_idx"')
    );
    names text;
    crowded bigint;
    listed text;
begin
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true
        or to_regclass('public."Conversation"') is null
    then
        raise exception 'Cannot add integrity indexes: 01_add_memory_entities is not applied'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/01_add_memory_entities/migration.sql first.';
    end if;

    if exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped)
        and pg_catalog.pg_get_indexdef(to_regclass('public."Message_conversation_id_created_at_idx_ascending"'))
            = 'CREATE INDEX "Message_conversation_id_created_at_idx_ascending"'
            ' ON public."Message" USING btree (conversation_id, created_at)'
    then
        raise exception 'Cannot add integrity indexes: migration.online.sql was begun, not finished'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run sql/05_add_integrity_indexes/migration.online.sql again to finish it,'
                    ' or rollback.sql beside it to take it back.';
    end if;

    if exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped) then
        if to_regclass('public."Conversation_lead_open_unique"') is not null then
            raise exception
                'Cannot add integrity indexes: 05_add_integrity_indexes is already applied'
                using
                    errcode = 'duplicate_object',
                    hint = 'There is nothing to run; sql/05_add_integrity_indexes/validation.sql'
                        ' proves that all of it stands.';
        end if;
        raise exception 'Cannot add integrity indexes: column "Conversation".closed_at already'
            ' exists, without this batch''s unique index'
            using
                errcode = 'duplicate_column',
                hint = 'Rename or drop it, then run this again. Where migration.online.sql was'
                    ' begun, run that again instead.';
    end if;

    select string_agg(n.relation::text, ', ' order by n.relation::text)
    into names
    from (
        values
            (to_regclass('public."Conversation_lead_open_unique"')),
            (to_regclass('public."Conversation_customer_id_started_at_idx"')),
            (to_regclass('public."Message_conversation_id_created_at_idx_ascending"'))
    ) as n (relation)
    where n.relation is not null;

    if names is not null then
        raise exception 'Cannot add integrity indexes: % already exists', names
            using
                errcode = 'duplicate_table',
                hint = 'This batch did not make it. Rename or drop it, then run this again.';
    end if;

    if recency is distinct from 'CREATE INDEX "Message_conversation_id_created_at_idx"'
        ' ON public."Message" USING btree (conversation_id, created_at)'
    then
        raise exception 'Cannot add integrity indexes: "Message_conversation_id_created_at_idx"'
            ' is not the index that 01_add_memory_entities made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format('Found: %s', coalesce(recency, 'no index of that name')),
                hint = 'This batch replaces that index, and its rollback restores it, without a'
                    ' comment, tablespace or cluster mark. Make it again as'
                    ' sql/01_add_memory_entities/migration.sql does, then run this again.';
    end if;

    select
        count(*),
        string_agg(
            format('lead %s: %s open conversations', c.lead_id, c.conversations),
            chr(10)
            order by c.place
        ) filter (where c.place <= 10)
    into crowded, listed
    from (
        select
            v.lead_id,
            count(*) as conversations,
            row_number() over (order by count(*) desc, v.lead_id) as place
        from "Conversation" as v
        where v.lead_id is not null
        group by v.lead_id
        having count(*) > 1
    ) as c;

    if crowded > 0 then
        raise exception 'Cannot add integrity indexes: % several open conversations',
            case crowded when 1 then '1 lead has' else format('%s leads have', crowded) end
            using
                errcode = 'unique_violation',
                detail = pg_catalog.concat_ws(
                    chr(10),
                    listed,
                    case when crowded > 10 then format('and %s more', crowded - 10) end
                ),
                hint = 'Nothing can be closed before there is a closed_at: run'
                    ' sql/05_add_integrity_indexes/migration.online.sql, which adds the column and'
                    ' stops here too; close all but the newest as follows; and run it again.
with ranked as (
    select
        id,
        row_number() over (partition by lead_id order by started_at desc, id) as rn
    from "Conversation"
    where closed_at is null
        and lead_id is not null
)
update "Conversation"
set closed_at = now()
where id in (select id from ranked where rn > 1);';
    end if;

    raise notice '✓ Pre-flight check passed: No lead has several open conversations';
end
$$;

alter table "Conversation" add column closed_at timestamptz;

create unique index "Conversation_lead_open_unique"
    on "Conversation" (lead_id)
    where closed_at is null;

drop index "Message_conversation_id_created_at_idx";

create index "Message_conversation_id_created_at_idx"
    on "Message" (conversation_id, created_at desc);

create index "Conversation_customer_id_started_at_idx"
    on "Conversation" (customer_id, started_at desc);

do $$
declare
    differing text;
begin
    select string_agg(e.definition, chr(10) order by e.definition)
    into differing
    from (
        values
            (
                '"Conversation_lead_open_unique"',
                'CREATE UNIQUE INDEX "Conversation_lead_open_unique" ON public."Conversation"'
                    ' USING btree (lead_id) WHERE (closed_at IS NULL)'
            ),
            (
                '"Message_conversation_id_created_at_idx"',
                'CREATE INDEX "Message_conversation_id_created_at_idx" ON public."Message"'
                    ' USING btree (conversation_id, created_at DESC)'
            ),
            (
                '"Conversation_customer_id_started_at_idx"',
                'CREATE INDEX "Conversation_customer_id_started_at_idx" ON public."Conversation"'
                    ' USING btree (customer_id, started_at DESC)'
            )
    ) as e (name, definition)
    where pg_catalog.pg_get_indexdef(to_regclass(e.name)) is distinct from e.definition;

    if differing is not null then
        raise exception 'Cannot add integrity indexes: an index did not get its definition'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format('Expected: %s', differing),
                hint = 'Nothing was changed. Look for an event trigger that alters what is made.';
    end if;

    raise notice '✓ Column added: Conversation.closed_at';
    raise notice '✓ Partial unique index created: Conversation_lead_open_unique';
    raise notice '✓ Index replaced: Message_conversation_id_created_at_idx (newest first)';
    raise notice '✓ Index created: Conversation_customer_id_started_at_idx (newest first)';
end
$$;

commit;
