-- The table of refunds has its columns, its key, its check and both indexes.

\set ON_ERROR_STOP on

do $$
declare
    name text;
begin
    if (
        select string_agg(a.attname, ' ' order by a.attnum)
        from pg_catalog.pg_attribute as a
        where a.attrelid = to_regclass('public.refunds')
            and a.attnum > 0
            and (a.attnotnull or a.attname = 'settled_on')
    ) is distinct from 'id order_id amount_cents reference settled_on' then
        raise exception 'refunds: a column is missing, or may be null';
    end if;

    foreach name in array array[
        'refunds_pkey',
        'refunds_order_id_fkey',
        'refunds_give_something'
    ] loop
        if not exists (
            select
            from pg_catalog.pg_constraint as c
            where c.conrelid = to_regclass('public.refunds')
                and c.conname = name
        ) then
            raise exception 'refunds: % is missing', name;
        end if;
    end loop;

    foreach name in array array['refunds_by_reference', 'refunds_on_their_way'] loop
        if to_regclass('public.' || name) is null then
            raise exception 'refunds: % is missing', name;
        end if;
    end loop;
end
$$;
