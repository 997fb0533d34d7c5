select
    role,
    count(*) as messages,
    round(100.0 * count(*) / sum(count(*)) over (), 1) as percent
from "Message"
group by role
order by role;
