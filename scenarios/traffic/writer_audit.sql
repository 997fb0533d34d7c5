-- What is said to a lead is logged, and the lead remembers when.
-- after: 00_baseline

insert into "Audit" (lead_id, actor, action, payload)
select l.id, 'assistant', 'message_sent', '{"text": "Is the address still right?"}'
from "Lead" as l
order by l.created_at, l.id
limit 1;

update "Lead"
set "stateMetadata" = coalesce("stateMetadata", '{}') || '{"asked": "address"}'
where id = (select l.id from "Lead" as l order by l.created_at, l.id limit 1);
