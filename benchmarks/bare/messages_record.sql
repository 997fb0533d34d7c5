-- The record of the backfill of messages stands; all was known before.

begin;

insert into ready.conversation_backfill (entity, id, lead_id, customer_id, audit_id)
select
    r.entity,
    r.id,
    r.lead_id,
    r.customer_id,
    r.audit_id
from ready.conversation_record as r;

commit;
