-- All four tables stand with their columns, keys, checks and the index.

\set ON_ERROR_STOP on

do $$
declare
    missing text;
begin
    with expected (part) as (
        values
            ('column customers.id bigint not null'),
            ('column customers.name text not null'),
            ('column customers.email text'),
            ('column customers.phone text'),
            ('column customers.address text not null'),
            ('column customers.joined_on date not null'),
            ('column products.id bigint not null'),
            ('column products.sku text not null'),
            ('column products.title text not null'),
            ('column products.price_cents integer not null'),
            ('column products.in_stock integer not null default 0'),
            ('column orders.id bigint not null'),
            ('column orders.customer_id bigint not null'),
            ('column orders.status text not null default ''placed''::text'),
            ('column orders.total_cents integer not null'),
            ('column orders.placed_at timestamp with time zone not null'),
            ('column order_items.order_id bigint not null'),
            ('column order_items.product_id bigint not null'),
            ('column order_items.quantity integer not null'),
            ('column order_items.unit_cents integer not null'),
            ('constraint on customers: PRIMARY KEY (id)'),
            ('constraint on products: PRIMARY KEY (id)'),
            ('constraint on products: UNIQUE (sku)'),
            ('constraint on products: CHECK ((price_cents > 0))'),
            ('constraint on orders: PRIMARY KEY (id)'),
            ('constraint on orders: CHECK ((total_cents >= 0))'),
            ('constraint on orders: FOREIGN KEY (customer_id) REFERENCES customers(id)'),
            ('constraint on order_items: PRIMARY KEY (order_id, product_id)'),
            ('constraint on order_items: CHECK ((quantity > 0))'),
            ('constraint on order_items: FOREIGN KEY (order_id) REFERENCES orders(id) ON DELETE CASCADE'),
            ('constraint on order_items: FOREIGN KEY (product_id) REFERENCES products(id)'),
            ('index: CREATE INDEX orders_by_customer ON public.orders USING btree (customer_id, placed_at DESC)')
    ),
    found (part) as (
        select concat_ws(
            ' ',
            'column',
            a.attrelid::regclass || '.' || a.attname,
            format_type(a.atttypid, a.atttypmod),
            case when a.attnotnull then 'not null' end,
            'default ' || pg_get_expr(d.adbin, d.adrelid)
        )
        from pg_catalog.pg_attribute as a
        left join pg_catalog.pg_attrdef as d
            on d.adrelid = a.attrelid
            and d.adnum = a.attnum
        where a.attnum > 0
            and not a.attisdropped
        union all
        select format('constraint on %s: %s', c.conrelid::regclass, pg_get_constraintdef(c.oid))
        from pg_catalog.pg_constraint as c
        where c.contype <> 'n'
        union all
        select 'index: ' || pg_get_indexdef(i.indexrelid)
        from pg_catalog.pg_index as i
    )
    select string_agg(e.part, chr(10) order by e.part)
    into missing
    from (
        select part
        from expected
        except
        select part
        from found
    ) as e;

    if missing is not null then
        raise exception '01_add_orders does not stand as it was made' using detail = missing;
    end if;
end
$$;
