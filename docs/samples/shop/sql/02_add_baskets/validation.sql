-- The table of baskets stands with its columns, keys, check and index.

\set ON_ERROR_STOP on

do $$
declare
    missing text;
begin
    with expected (part) as (
        values
            ('column baskets.customer_id bigint not null'),
            ('column baskets.product_id bigint not null'),
            ('column baskets.quantity integer not null default 1'),
            ('column baskets.touched_on date not null'),
            ('constraint on baskets: PRIMARY KEY (customer_id, product_id)'),
            ('constraint on baskets: CHECK ((quantity > 0))'),
            ('constraint on baskets: FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE'),
            ('constraint on baskets: FOREIGN KEY (product_id) REFERENCES products(id)'),
            ('index: CREATE INDEX baskets_by_product ON public.baskets USING btree (product_id)')
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
        raise exception '02_add_baskets does not stand as it was made' using detail = missing;
    end if;
end
$$;
