-- The login gate_reader can read what the gates read, and nothing else.

\set ON_ERROR_STOP on

begin;

set local search_path = pg_catalog, pg_temp;
set local client_min_messages = notice;

do $$
declare
    powers text;
begin
    if not exists (
        select
        from pg_catalog.pg_roles as r
        where r.rolname = 'gate_reader'
    ) then
        create role gate_reader;
        raise notice '✓ Role created: gate_reader (no password yet)';
    end if;

    -- Someone else may have made it for something else.
    select concat_ws(
        ', ',
        case when r.rolsuper then 'is a superuser' end,
        case when r.rolreplication then 'may replicate' end,
        case when r.rolcreaterole then 'may create roles' end,
        case when r.rolcreatedb then 'may create databases' end,
        (
            select 'is a member of ' || string_agg(quote_ident(g.rolname), ', ' order by g.rolname)
            from pg_catalog.pg_auth_members as m
            join pg_catalog.pg_roles as g on g.oid = m.roleid
            where m.member = r.oid
                and g.rolname <> 'pg_read_all_stats'
        )
    )
    into powers
    from pg_catalog.pg_roles as r
    where r.rolname = 'gate_reader';

    if powers <> '' then
        raise exception 'Cannot prepare gate_reader: it %', powers
            using
                errcode = 'invalid_role_specification',
                hint = 'Take that from it, or drop it as gate_reader.drop.sql does, and run this'
                    ' file again.';
    end if;
end
$$;

-- A worker has a session, and one more watches; a run that hangs cannot take every connection.
alter role gate_reader with login inherit connection limit 10;

-- For a promotion in mid-session: new transactions are still read-only, where a gate's own say so.
alter role gate_reader set default_transaction_read_only = on;
alter role gate_reader set search_path = public;
alter role gate_reader set statement_timeout = '5min';
alter role gate_reader set lock_timeout = '10s';
alter role gate_reader set idle_in_transaction_session_timeout = '5min';

-- Only a superuser may set it, and no session of the role can raise it.
do $$
begin
    alter role gate_reader set temp_file_limit = '2GB';
exception
    when insufficient_privilege then
        raise warning 'temp_file_limit is not set: only a superuser may'
            using hint = 'Have one set it, or let the server''s own limit hold.';
end
$$;

grant usage on schema public to gate_reader;

do $$
declare
    wanted text;
begin
    -- What replay waits for and the state of the receiver; pg_monitor would be more than that.
    if not pg_has_role('gate_reader', 'pg_read_all_stats', 'member') then
        grant pg_read_all_stats to gate_reader;
    end if;

    -- Each table once its batch stands: run this file again after batch 1.
    foreach wanted in array array[
        'Audit',
        'Conversation',
        'Customer',
        'Job',
        'Lead',
        'Message'
    ] loop
        if to_regclass(format('public.%I', wanted)) is null then
            raise notice 'Table % is not there yet', wanted;
        else
            execute format('grant select on public.%I to gate_reader', wanted);
        end if;
    end loop;

    -- Batches 3 and 4 are present where their records are; to look for them takes no more.
    if to_regnamespace('backfill') is not null then
        grant usage on schema backfill to gate_reader;
    end if;

    raise notice '✓ Grants given: gate_reader';
end
$$;

-- Where row security is on, a policy would hide rows from the gates, which then have no result.
-- Only a superuser can lift that, and for all tables at once:
-- alter role gate_reader bypassrls;

commit;
