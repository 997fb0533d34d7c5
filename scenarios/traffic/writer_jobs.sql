-- A job is confirmed: its status, its lead's last change, and an entry in the log.
-- after: 00_baseline

begin;

update "Job"
set
    status = 'booked',
    updated_at = now()
where id = (select j.id from "Job" as j order by j.window_start, j.id limit 1);

update "Lead"
set updated_at = now()
where id = (select j.lead_id from "Job" as j order by j.window_start, j.id limit 1);

insert into "Audit" (lead_id, actor, action, payload)
select j.lead_id, 'agent', 'job_confirmed', jsonb_build_object('jobId', j.id)
from "Job" as j
order by j.window_start, j.id
limit 1;

commit;
