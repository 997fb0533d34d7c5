select count(distinct l.id)
from "Lead" as l
join "Audit" as a on a.lead_id = l.id
left join "Conversation" as c on c.lead_id = l.id
where a.actor in ('customer', 'user', 'agent', 'assistant', 'system', 'tool')
    and c.id is null;
