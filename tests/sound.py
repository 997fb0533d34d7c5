"""A sound small project: tests change one file of it and look at what is said."""

FIRST = """\
-- Orders can be kept.
-- present: to_regclass('orders') is not null

begin;
create table orders (id int primary key, currency text, email text);
do $$ begin raise notice 'orders made'; end $$;
commit;
"""
FIRST_BACK = """\
\\set ON_ERROR_STOP on
begin;
do $$ begin
    if to_regclass('orders_currency') is not null then
        raise exception '02_index_orders needs it';
    end if;
end $$;
drop table orders;
commit;
"""
FIRST_CHECK = """\
\\set ON_ERROR_STOP on
do $$
begin
    if to_regclass('orders') is null then
        raise exception 'orders is missing';
    end if;
    if (
        select string_agg(a.attname, ', ' order by a.attnum)
        from pg_catalog.pg_attribute as a
        where a.attrelid = to_regclass('orders')
            and a.attnum > 0
            and not a.attisdropped
    ) <> 'id, currency, email' then
        raise exception 'a column of orders is missing';
    end if;
    if not exists (
        select
        from pg_catalog.pg_constraint as c
        where c.conrelid = to_regclass('orders')
            and c.conname = 'orders_pkey'
            and c.contype = 'p'
    ) then
        raise exception 'the key of orders is missing';
    end if;
end
$$;
"""
SECOND = """\
-- Orders are found by currency.
-- requires: 01_add_orders
-- present: exists (select from pg_index where indexrelid = to_regclass('orders_currency') and indisvalid)

create index orders_currency on orders (currency);
"""  # noqa: E501
SECOND_ONLINE = """\
-- Orders are found by currency, and can be written meanwhile.

-- What an interrupted run left behind.
select 'drop index concurrently orders_currency'
from pg_index
where indexrelid = to_regclass('orders_currency') and not indisvalid
\\gexec

create index concurrently orders_currency on orders (currency);
"""
GATE = """\
-- Every order has a currency.
-- level: required
-- after: 01_add_orders
-- of: orders
-- show: id
-- fix: Fill it in.

select id, email from orders where currency is null order by id
"""
SOUND = {
    "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n",
    "sql/01_add_orders/migration.sql": FIRST,
    "sql/01_add_orders/rollback.sql": FIRST_BACK,
    "sql/01_add_orders/validation.sql": FIRST_CHECK,
    "sql/02_index_orders/migration.sql": SECOND,
    "sql/02_index_orders/migration.online.sql": SECOND_ONLINE,
    "sql/02_index_orders/rollback.sql": "drop index orders_currency;",
    "gates/01_orders_have_currency.sql": GATE,
    "gates/01_orders_have_currency.red.sql": "insert into orders (id) values (-1);",
    "scenarios/sample/01.sql": "insert into orders values (1, 'EUR', 'ann@example.com');",
}
