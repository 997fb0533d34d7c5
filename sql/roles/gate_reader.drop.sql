-- The login gate_reader is gone, and with it what it was granted in this database.

\set ON_ERROR_STOP on

begin;

do $$
begin
    if exists (
        select
        from pg_catalog.pg_roles as r
        where r.rolname = 'gate_reader'
    ) then
        drop owned by gate_reader;
        drop role gate_reader;
        raise notice '✓ Role dropped: gate_reader';
    else
        raise notice 'There is no role gate_reader';
    end if;
end
$$;

commit;
