-- A lead names a customer that does not exist.

alter table "Lead" drop constraint "Lead_customer_id_fkey";

insert into "Lead" (channel, customer_id) values ('sms', gen_random_uuid());
