select distinct l.customer_id
from "Lead" as l
left join "Customer" as c on l.customer_id = c.id
where l.customer_id is not null and c.id is null;
