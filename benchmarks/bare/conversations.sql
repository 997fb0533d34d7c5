-- The conversations stand as the backfill would leave them; all was known before.

begin;

insert into public."Conversation" (
    id,
    customer_id,
    lead_id,
    channel,
    external_id,
    started_at,
    last_message_at,
    metadata
)
select
    r.id,
    r.customer_id,
    r.lead_id,
    r.channel,
    r.external_id,
    r.started_at,
    r.last_message_at,
    r.metadata
from ready.conversation as r;

commit;
