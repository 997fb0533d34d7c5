-- The schema of migration.sql stands, and messages were read and written while it was made.
-- transaction: none

\set ON_ERROR_STOP on

set search_path = public, pg_temp;
set client_min_messages = notice;
set quote_all_identifiers = off;
set row_security = off;

-- Each step asks what stands already, so that this file can be run again after any interruption.
do $$
declare
    begun constant boolean := exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped);
    set_aside constant boolean :=
        to_regclass('public."Message_conversation_id_created_at_idx_ascending"') is not null;
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
    patience constant integer := (
        select nullif(s.setting, '0')
        from pg_catalog.pg_settings as s
        where s.name = 'lock_timeout'
    );
    asked constant timestamptz := clock_timestamp();
    passed integer := 0;
    standing text;
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

    if begun and not set_aside and to_regclass('public."Conversation_lead_open_unique"') is not null
    then
        raise exception 'Cannot add integrity indexes: 05_add_integrity_indexes is already applied'
            using
                errcode = 'duplicate_object',
                hint = 'There is nothing to run; sql/05_add_integrity_indexes/validation.sql'
                    ' proves that all of it stands.';
    end if;

    if begun <> set_aside then
        raise exception 'Cannot add integrity indexes: % already exists, without the rest of this'
            ' batch',
            case
                when begun then 'column "Conversation".closed_at'
                else '"Message_conversation_id_created_at_idx_ascending"'
            end
            using
                errcode = 'duplicate_object',
                hint = 'This batch did not make it. Rename or drop it, then run this again.';
    end if;

    select string_agg(n.name, ', ' order by n.name)
    into standing
    from (
        values
            (
                '"Conversation_lead_open_unique"',
                'CREATE UNIQUE INDEX "Conversation_lead_open_unique" ON public."Conversation"'
                    ' USING btree (lead_id) WHERE (closed_at IS NULL)'
            ),
            (
                '"Conversation_customer_id_started_at_idx"',
                'CREATE INDEX "Conversation_customer_id_started_at_idx" ON public."Conversation"'
                    ' USING btree (customer_id, started_at DESC)'
            ),
            (
                '"Message_conversation_id_created_at_idx"',
                'CREATE INDEX "Message_conversation_id_created_at_idx" ON public."Message"'
                    ' USING btree (conversation_id, created_at DESC)'
            ),
            (
                '"Message_conversation_id_created_at_idx_ascending"',
                'CREATE INDEX "Message_conversation_id_created_at_idx_ascending"'
                    ' ON public."Message" USING btree (conversation_id, created_at)'
            )
    ) as n (name, definition)
    cross join lateral (
        select to_regclass('public.' || n.name) as relation
    ) as f
    where f.relation is not null
        and case
            when begun then pg_catalog.pg_get_indexdef(f.relation) is distinct from n.definition
            else n.name <> '"Message_conversation_id_created_at_idx"'
        end;

    if standing is not null then
        raise exception 'Cannot add integrity indexes: % already exists', standing
            using
                errcode = 'duplicate_table',
                hint = 'This batch did not make it. Rename or drop it, then run this again.';
    end if;

    if not begun
        and recency is distinct from 'CREATE INDEX "Message_conversation_id_created_at_idx"'
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

    -- Whoever comes next waits behind this: so it is given up and asked for again after 10 ms,
    -- later after a fiftieth of the time that has passed.
    while not begun loop
        begin
            perform set_config(
                'lock_timeout',
                least(greatest(10, passed / 50), 400, patience)::text,
                true
            );
            lock table public."Conversation" in access exclusive mode;
            exit;
        exception
            when lock_not_available then
                passed := 1000 * extract(epoch from clock_timestamp() - asked);
                if passed >= patience then
                    raise;
                end if;
        end;
    end loop;

    if not begun then
        alter table public."Conversation" add column closed_at timestamptz;
        alter index public."Message_conversation_id_created_at_idx"
            rename to "Message_conversation_id_created_at_idx_ascending";
        raise notice '✓ Column added: Conversation.closed_at';
    end if;
end
$$;

do $$
declare
    crowded bigint;
    listed text;
begin
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
        from public."Conversation" as v
        where v.lead_id is not null
            and v.closed_at is null
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
                hint = 'closed_at stands now: close all but the newest as follows, and run this'
                    ' again. Or take it back with sql/05_add_integrity_indexes/rollback.sql.
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

    raise notice '✓ Check passed: No lead has several open conversations';
end
$$;

-- What an interrupted build leaves is invalid, and slows writing without helping reading.
select format('drop index concurrently public.%I', c.relname)
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c
    on c.oid = i.indexrelid
where not (i.indisvalid and i.indisready and i.indislive)
    and i.indexrelid in (
        to_regclass('public."Conversation_lead_open_unique"'),
        to_regclass('public."Message_conversation_id_created_at_idx"'),
        to_regclass('public."Conversation_customer_id_started_at_idx"')
    )
order by c.relname
\gexec

select 'create unique index concurrently "Conversation_lead_open_unique"'
    ' on public."Conversation" (lead_id) where closed_at is null'
where to_regclass('public."Conversation_lead_open_unique"') is null
\gexec

select 'create index concurrently "Message_conversation_id_created_at_idx"'
    ' on public."Message" (conversation_id, created_at desc)'
where to_regclass('public."Message_conversation_id_created_at_idx"') is null
\gexec

select 'create index concurrently "Conversation_customer_id_started_at_idx"'
    ' on public."Conversation" (customer_id, started_at desc)'
where to_regclass('public."Conversation_customer_id_started_at_idx"') is null
\gexec

-- Last of all: while this index stands, the file has not been run to its end.
select 'drop index concurrently public."Message_conversation_id_created_at_idx_ascending"'
where to_regclass('public."Message_conversation_id_created_at_idx_ascending"') is not null
\gexec

do $$
declare
    missing text;
begin
    select string_agg(e.definition, chr(10) order by e.definition)
    into missing
    from (
        values
            (
                'public."Conversation_lead_open_unique"',
                'CREATE UNIQUE INDEX "Conversation_lead_open_unique" ON public."Conversation"'
                    ' USING btree (lead_id) WHERE (closed_at IS NULL)'
            ),
            (
                'public."Message_conversation_id_created_at_idx"',
                'CREATE INDEX "Message_conversation_id_created_at_idx" ON public."Message"'
                    ' USING btree (conversation_id, created_at DESC)'
            ),
            (
                'public."Conversation_customer_id_started_at_idx"',
                'CREATE INDEX "Conversation_customer_id_started_at_idx" ON public."Conversation"'
                    ' USING btree (customer_id, started_at DESC)'
            )
    ) as e (name, definition)
    where not exists (
        select
        from pg_catalog.pg_index as i
        where i.indexrelid = to_regclass(e.name)
            and pg_catalog.pg_get_indexdef(i.indexrelid) = e.definition
            and i.indisvalid
    );

    if missing is not null then
        raise exception 'Cannot add integrity indexes: an index did not get its definition'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format('Expected: %s', missing),
                hint = 'Run sql/05_add_integrity_indexes/rollback.sql, then this again.';
    end if;

    raise notice '✓ Partial unique index created: Conversation_lead_open_unique';
    raise notice '✓ Index replaced: Message_conversation_id_created_at_idx (newest first)';
    raise notice '✓ Index created: Conversation_customer_id_started_at_idx (newest first)';
end
$$;

reset search_path;
reset client_min_messages;
reset quote_all_identifiers;
reset row_security;
