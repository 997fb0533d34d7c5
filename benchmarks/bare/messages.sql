-- The messages stand as the backfill would leave them; their conversations stood before.

begin;

insert into public."Message" (id, conversation_id, role, content, metadata, created_at)
select
    r.id,
    r.conversation_id,
    r.role,
    r.content,
    r.metadata,
    r.created_at
from ready.message as r;

commit;
