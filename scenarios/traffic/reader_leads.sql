-- The newest leads are listed with their jobs.
-- after: 00_baseline

select
    l.id,
    l.name,
    l.channel,
    l.created_at,
    j.id as job_id,
    j.status,
    j.window_start
from "Lead" as l
left join "Job" as j
    on j.lead_id = l.id
order by l.created_at desc, l.id, j.window_start, j.id
limit 50;
