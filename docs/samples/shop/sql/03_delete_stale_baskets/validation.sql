-- No basket is older than 2025, and none can be.

\set ON_ERROR_STOP on

do $$
begin
    if exists (
        select
        from baskets as b
        where b.touched_on < date '2025-01-01'
    ) then
        raise exception 'a basket is older than 2025';
    end if;

    if not exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid = to_regclass('public.baskets')
            and c.conname = 'baskets_are_recent'
            and pg_get_constraintdef(c.oid)
                = 'CHECK ((touched_on >= ''2025-01-01''::date)) NOT VALID'
    ) then
        raise exception 'baskets_are_recent does not keep older ones out';
    end if;
end
$$;
