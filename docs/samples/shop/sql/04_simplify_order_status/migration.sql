-- An order is open, sent or cancelled, and the packing list finds open ones by an index.
-- requires: 01_add_orders
-- present: exists (select from pg_attrdef where adrelid = to_regclass('public.orders') and pg_get_expr(adbin, adrelid) like '%open%')

begin;

update orders
set status = case
    when status in ('placed', 'paid', 'packed') then 'open'
    when status in ('shipped', 'delivered') then 'sent'
    else 'cancelled'
end;

create index orders_by_status on orders (status, placed_at);

alter table orders alter column status set default 'open';

commit;
