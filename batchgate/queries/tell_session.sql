-- What only an event trigger hears, it tells its session in settings: why a table is rewritten,
-- and what had been counted when a command came while no lock was held that others wait for.
create function pg_temp.batchgate_rewrite() returns event_trigger
language plpgsql
as $$
begin
    perform pg_catalog.set_config(
        'batchgate.rewrites',
        pg_catalog.concat_ws(
            ' ',
            pg_catalog.current_setting('batchgate.rewrites', true),
            pg_event_trigger_table_rewrite_oid() || ':' || pg_event_trigger_table_rewrite_reason()
        ),
        false
    );
end
$$;

create function pg_temp.batchgate_command() returns event_trigger
language plpgsql
as $$
declare
    ground constant oid[] := {ground};
    strong constant text[] := {strong};
begin
    if exists (
        select
        from pg_catalog.pg_locks as l
        where l.pid = pg_catalog.pg_backend_pid()
            and l.relation = any (ground)
            and l.mode = any (strong)
            and l.granted
    )
    then
        return;
    end if;
    perform pg_catalog.set_config('batchgate.unlocked', pg_catalog.string_agg(s.counts, ' '), true)
    from (
        select pg_catalog.concat_ws(
            ':',
            o.oid,
            pg_catalog.pg_stat_get_xact_numscans(o.oid),
            pg_catalog.pg_stat_get_xact_tuples_returned(o.oid),
            pg_catalog.pg_stat_get_xact_tuples_inserted(o.oid)
                + pg_catalog.pg_stat_get_xact_tuples_updated(o.oid)
                + pg_catalog.pg_stat_get_xact_tuples_deleted(o.oid)
        ) as counts
        from unnest(ground) as o (oid)
        where pg_catalog.pg_stat_get_xact_numscans(o.oid)
            + pg_catalog.pg_stat_get_xact_tuples_inserted(o.oid)
            + pg_catalog.pg_stat_get_xact_tuples_updated(o.oid)
            + pg_catalog.pg_stat_get_xact_tuples_deleted(o.oid) > 0
    ) as s;
end
$$;

create event trigger batchgate_rewrite on table_rewrite
    execute function pg_temp.batchgate_rewrite();
create event trigger batchgate_command on ddl_command_start
    execute function pg_temp.batchgate_command();
alter event trigger batchgate_rewrite enable always;
alter event trigger batchgate_command enable always;
