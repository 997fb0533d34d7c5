-- Every customer, product and order is lost.

\set ON_ERROR_STOP on

begin;

do $$
begin
    if to_regclass('public.baskets') is not null then
        raise exception '02_add_baskets still stands; roll it back first';
    end if;
    if to_regclass('public.refunds') is not null then
        raise exception '05_add_refunds still stands; roll it back first';
    end if;
end
$$;

drop table order_items;
drop table orders;
drop table products;
drop table customers;

commit;
