-- A lead arrives that nobody links to a customer.

alter table "Lead" alter column customer_id drop not null;

insert into "Lead" (channel) values ('sms');
