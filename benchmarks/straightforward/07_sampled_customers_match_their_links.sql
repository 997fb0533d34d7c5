select
    c.id,
    c.metadata ->> 'groupType' as group_type,
    c.metadata ->> 'leadCount' as expected_leads,
    count(distinct l.id) as leads,
    count(distinct j.id) as jobs,
    count(distinct v.id) as conversations
from "Customer" as c
left join "Lead" as l on l.customer_id = c.id
left join "Job" as j on j.customer_id = c.id
left join "Conversation" as v on v.customer_id = c.id
group by c.id
order by random()
limit 3;
