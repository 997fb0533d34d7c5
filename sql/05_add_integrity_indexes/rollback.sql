-- All closing times are lost, and a lead may have several open conversations again.

\set ON_ERROR_STOP on

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
    if (exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped)) is not true
        or to_regclass('public."Message"') is null
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
    differing text;
begin
    if (exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped)) is not true then
        raise exception 'Cannot roll back 05_add_integrity_indexes: it is not applied'
            using
                errcode = 'undefined_column',
                hint = 'There is nothing to roll back.';
    end if;

    -- An index may be missing where migration.online.sql was interrupted, and then the one that
    -- it set aside stands; without either, the column is not this batch's.
    select string_agg(
        e.name || ': ' || coalesce(pg_catalog.pg_get_indexdef(to_regclass(e.name)), 'missing'),
        chr(10)
        order by e.name
    )
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
            ),
            (
                '"Message_conversation_id_created_at_idx_ascending"',
                'CREATE INDEX "Message_conversation_id_created_at_idx_ascending"'
                    ' ON public."Message" USING btree (conversation_id, created_at)'
            )
    ) as e (name, definition)
    where pg_catalog.pg_get_indexdef(to_regclass(e.name)) is distinct from e.definition
        and (
            to_regclass(e.name) is not null
            or (
                e.name <> '"Message_conversation_id_created_at_idx_ascending"'
                and to_regclass('"Message_conversation_id_created_at_idx_ascending"') is null
            )
        );

    if differing is not null then
        raise exception 'Cannot roll back 05_add_integrity_indexes: what stands is not what it made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Make the index again as the batch''s migration.sql does, or take away by'
                    ' hand what is left.';
    end if;
end
$$;

-- The server would drop an application's own index along with the column, and not say so.
do $$
declare
    outside text;
begin
    select string_agg(o.description, chr(10) order by o.description)
    into outside
    from (
        select distinct pg_describe_object(d.classid, d.objid, d.objsubid) as description
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_depend as d
            on d.refclassid = 'pg_class'::regclass
            and d.refobjid = a.attrelid
            and d.refobjsubid = a.attnum
        where a.attrelid = '"Conversation"'::regclass
            and a.attname = 'closed_at'
            and d.objid is distinct from to_regclass('"Conversation_lead_open_unique"')
    ) as o;

    if outside is not null then
        raise exception 'Cannot roll back 05_add_integrity_indexes: other objects depend on it'
            using
                errcode = 'dependent_objects_still_exist',
                detail = outside,
                hint = 'Drop or change them first; a rollback takes nothing away that its batch did'
                    ' not make.';
    end if;
end
$$;

do $$
declare
    closed bigint;
    leads bigint;
begin
    select pg_catalog.count(v.closed_at) into closed from "Conversation" as v;

    select count(*)
    into leads
    from (
        select v.lead_id
        from "Conversation" as v
        where v.lead_id is not null
        group by v.lead_id
        having count(*) > 1
    ) as c;

    raise notice 'Closing times that go with the column: %', closed;
    raise notice 'Leads that will have several open conversations: %', leads;
end
$$;

-- After an interrupted online run some of these were never made.
set local client_min_messages = warning;

drop index if exists
    "Conversation_lead_open_unique",
    "Conversation_customer_id_started_at_idx",
    "Message_conversation_id_created_at_idx",
    "Message_conversation_id_created_at_idx_ascending";

set local client_min_messages = notice;

create index "Message_conversation_id_created_at_idx" on "Message" (conversation_id, created_at);

alter table "Conversation" drop column closed_at;

do $$
begin
    raise notice '✓ Indexes dropped: Conversation_lead_open_unique,'
        ' Conversation_customer_id_started_at_idx';
    raise notice '✓ Index restored: Message_conversation_id_created_at_idx (oldest first)';
    raise notice '✓ Column dropped: Conversation.closed_at';
end
$$;

commit;
