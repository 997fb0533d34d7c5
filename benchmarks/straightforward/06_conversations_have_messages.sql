select c.id, c.lead_id, c.started_at, l.name
from "Conversation" as c
join "Lead" as l on c.lead_id = l.id
left join "Message" as m on c.id = m.conversation_id
group by c.id, c.lead_id, c.started_at, l.name
having count(m.id) = 0;
