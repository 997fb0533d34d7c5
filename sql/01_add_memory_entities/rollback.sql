-- All rows of the seven memory tables are lost, and so are the links of leads and jobs.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local row_security = off;

do $$
declare
    names text;
begin
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true then
        raise exception 'Cannot roll back 01_add_memory_entities: it is not applied'
            using
                errcode = 'undefined_table',
                hint = 'There is nothing to roll back.';
    end if;

    select string_agg(b.name, ', ' order by b.name)
    into names
    from (
        values
            (
                '02_add_message_fts_index',
                to_regclass('public."Message_content_fts_idx"') is not null
            ),
            (
                '03_backfill_customers',
                to_regclass('backfill.customer_backfill') is not null
            ),
            (
                '04_backfill_conversations_messages',
                to_regclass('backfill.conversation_backfill') is not null
            ),
            (
                '05_add_integrity_indexes',
                exists (select from pg_catalog.pg_attribute where attrelid = to_regclass('public."Conversation"') and attname = 'closed_at' and not attisdropped)
            ),
            (
                '07_tighten_constraints',
                (select count(distinct a.attrelid) = 2 from pg_catalog.pg_attribute as a join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'f' and c.confdeltype = 'r' where a.attrelid in (to_regclass('public."Lead"'), to_regclass('public."Job"')) and a.attname = 'customer_id' and a.attnotnull)
            )
    ) as b (name, present)
    where b.present;

    if names is not null then
        raise exception 'Cannot roll back 01_add_memory_entities: it is needed by %', names
            using
                errcode = 'dependent_objects_still_exist',
                hint = 'Run the rollback.sql of each of them first, the newest batch first.';
    end if;

    select string_agg(n.name, ', ' order by n.place)
    into names
    from (
        values
            (1, 'table "CustomerAddress"', to_regclass('public."CustomerAddress"')::oid),
            (2, 'table "Conversation"', to_regclass('public."Conversation"')),
            (3, 'table "Message"', to_regclass('public."Message"')),
            (4, 'table "MemoryNote"', to_regclass('public."MemoryNote"')),
            (5, 'table "JobItem"', to_regclass('public."JobItem"')),
            (6, 'table "JobEvent"', to_regclass('public."JobEvent"')),
            (7, 'type "MessageRole"', to_regtype('public."MessageRole"'))
    ) as n (place, name, made)
    where n.made is null;

    if names is not null then
        raise exception 'Cannot roll back 01_add_memory_entities: what stands is not what it made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format('Missing: %s', names),
                hint = 'Make what is missing again as the batch''s migration.sql does, or take the'
                    ' rest away by hand.';
    end if;
end
$$;

-- What the server would drop silently along with a column, such as an application's own index,
-- and what it would drop only with CASCADE, such as a view: both stop the rollback.
do $$
declare
    outside text;
begin
    with recursive made (classid, objid) as (
        select
            n.classid,
            n.objid
        from (
            values
                ('pg_class'::regclass, '"Customer"'::regclass::oid),
                ('pg_class', '"CustomerAddress"'::regclass),
                ('pg_class', '"Conversation"'::regclass),
                ('pg_class', '"Message"'::regclass),
                ('pg_class', '"MemoryNote"'::regclass),
                ('pg_class', '"JobItem"'::regclass),
                ('pg_class', '"JobEvent"'::regclass),
                -- Missing where migration.online.sql was interrupted.
                ('pg_class', to_regclass('public."Lead_customer_id_idx"')),
                ('pg_class', to_regclass('public."Job_customer_id_idx"')),
                ('pg_type', '"MessageRole"'::regtype)
        ) as n (classid, objid)
        union
        select
            'pg_constraint'::regclass,
            c.oid
        from pg_catalog.pg_constraint as c
        where c.conrelid in ('"Lead"'::regclass, '"Job"'::regclass)
            and c.conname in ('Lead_customer_id_fkey', 'Job_customer_id_fkey')
        union
        select
            d.classid::regclass,
            d.objid
        from made as m
        join pg_catalog.pg_depend as d
            on d.refclassid = m.classid
            and d.refobjid = m.objid
        where d.deptype in ('a', 'i')
    ),
    hanging (classid, objid, objsubid) as (
        select
            d.classid,
            d.objid,
            d.objsubid
        from made as m
        join pg_catalog.pg_depend as d
            on d.refclassid = m.classid
            and d.refobjid = m.objid
        where d.deptype = 'n'
        union
        select
            d.classid,
            d.objid,
            d.objsubid
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_depend as d
            on d.refclassid = 'pg_class'::regclass
            and d.refobjid = a.attrelid
            and d.refobjsubid = a.attnum
        where a.attrelid in ('"Lead"'::regclass, '"Job"'::regclass)
            and a.attname = 'customer_id'
    )
    select string_agg(o.description, chr(10) order by o.description)
    into outside
    from (
        select distinct pg_describe_object(h.classid, h.objid, h.objsubid) as description
        from hanging as h
        where not exists (
            select
            from made as m
            where m.classid = h.classid
                and m.objid = h.objid
        )
    ) as o;

    if outside is not null then
        raise exception 'Cannot roll back 01_add_memory_entities: other objects depend on it'
            using
                errcode = 'dependent_objects_still_exist',
                detail = outside,
                hint = 'Drop or change them first; a rollback takes nothing away that its batch did'
                    ' not make.';
    end if;
end
$$;

-- Nothing may be written between the counting and the dropping.
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
    loop
        begin
            lock table "Customer" in access exclusive mode;
            set local lock_timeout = '400ms';
            lock table
                "Lead",
                "Job",
                "Conversation",
                "Message",
                "CustomerAddress",
                "MemoryNote",
                "JobItem",
                "JobEvent"
            in access exclusive mode;
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
    counts text;
begin
    select string_agg(format('  %s: %s', n.name, n.rows), chr(10) order by n.place)
    into counts
    from (
        values
            (1, 'Customer', (select count(*) from "Customer")),
            (2, 'CustomerAddress', (select count(*) from "CustomerAddress")),
            (3, 'Conversation', (select count(*) from "Conversation")),
            (4, 'Message', (select count(*) from "Message")),
            (5, 'MemoryNote', (select count(*) from "MemoryNote")),
            (6, 'JobItem', (select count(*) from "JobItem")),
            (7, 'JobEvent', (select count(*) from "JobEvent")),
            (8, 'Lead.customer_id', (select pg_catalog.count(customer_id) from "Lead")),
            (9, 'Job.customer_id', (select pg_catalog.count(customer_id) from "Job"))
    ) as n (place, name, rows);

    raise notice E'Rows that go with the tables, links that go with the columns:\n%', counts;
end
$$;

alter table "Job" drop column customer_id;

alter table "Lead" drop column customer_id;

drop table
    "JobEvent",
    "JobItem",
    "MemoryNote",
    "Message",
    "Conversation",
    "CustomerAddress",
    "Customer";

drop type "MessageRole";

do $$
begin
    raise notice '✓ Tables dropped: Customer, CustomerAddress, Conversation, Message, MemoryNote,'
        ' JobItem, JobEvent';
    raise notice '✓ Columns dropped: Lead.customer_id, Job.customer_id';
    raise notice '✓ Enum dropped: MessageRole';
end
$$;

commit;
