-- The new application takes in a customer, then the lead and the job that belong to it.
-- after: 01_add_memory_entities

begin;

insert into "Customer" (name, email)
values ('Jon', 'jon@example.com');

insert into "Lead" (channel, name, customer_id)
select 'messenger', c.name, c.id
from "Customer" as c
order by c.created_at desc, c.id
limit 1;

insert into "Job" (lead_id, customer_id, window_start, window_end)
select l.id, l.customer_id, now() + interval '1 day', now() + interval '1 day 2 hours'
from "Lead" as l
where l.customer_id is not null
order by l.created_at desc, l.id
limit 1;

commit;
