-- The old application takes in a lead with a first job, and knows of no customers.
-- after: 00_baseline
-- until: 06_data_quality_gates

begin;

with lead as (
    insert into "Lead" (channel, name, phone)
    values ('sms', 'Iris', '+1 (555) 010-0100')
    returning id
)
insert into "Audit" (lead_id, actor, action, payload)
select l.id, 'customer', 'message_received', '{"text": "Can you come on Monday?"}'
from lead as l;

insert into "Job" (lead_id, window_start, window_end)
select l.id, now() + interval '1 day', now() + interval '1 day 2 hours'
from "Lead" as l
order by l.created_at desc, l.id
limit 1;

commit;
