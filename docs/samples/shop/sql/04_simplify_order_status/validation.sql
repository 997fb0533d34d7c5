-- Orders have none but the three new words, new ones are open, and the index is there.

\set ON_ERROR_STOP on

do $$
begin
    if exists (
        select
        from orders as o
        where o.status not in ('open', 'sent', 'cancelled')
    ) then
        raise exception 'an order has one of the old words';
    end if;

    if not exists (
        select
        from pg_catalog.pg_attrdef as d
        where d.adrelid = to_regclass('public.orders')
            and pg_get_expr(d.adbin, d.adrelid) = '''open''::text'
    ) then
        raise exception 'a new order is not open';
    end if;

    if not exists (
        select
        from pg_catalog.pg_index as i
        where i.indexrelid = to_regclass('public.orders_by_status')
            and i.indisvalid
            and pg_get_indexdef(i.indexrelid)
                = 'CREATE INDEX orders_by_status ON public.orders USING btree (status, placed_at)'
    ) then
        raise exception 'orders_by_status is missing';
    end if;
end
$$;
