-- A customer's basket holds one line for each product.
-- requires: 01_add_orders
-- present: to_regclass('public.baskets') is not null

begin;

create table baskets (
    customer_id bigint not null references customers on delete cascade,
    product_id bigint not null references products,
    quantity integer not null default 1 check (quantity > 0),
    touched_on date not null,
    primary key (customer_id, product_id)
);

create index baskets_by_product on baskets (product_id);

commit;
