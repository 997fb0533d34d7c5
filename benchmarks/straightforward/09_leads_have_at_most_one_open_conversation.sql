select lead_id, count(*) as open_count
from "Conversation"
where closed_at is null
group by lead_id
having count(*) > 1;
