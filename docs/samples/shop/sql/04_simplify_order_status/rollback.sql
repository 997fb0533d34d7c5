-- Orders have the old words for their status again.

\set ON_ERROR_STOP on

begin;

update orders
set status = case status
    when 'open' then 'placed'
    when 'sent' then 'delivered'
    else status
end;

alter table orders alter column status set default 'placed';

commit;
