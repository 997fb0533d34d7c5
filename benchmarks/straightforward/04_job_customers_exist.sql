select distinct j.customer_id
from "Job" as j
left join "Customer" as c on j.customer_id = c.id
where j.customer_id is not null and c.id is null;
