-- Six weeks of a database where every batch stands, each on top of those before.

-- Week 1: the messages of three conversations were lost on the way.
delete from "Message"
where conversation_id in (
    select c.id
    from "Conversation" as c
    order by c.started_at desc, c.id
    limit 3
);

-- Week 2: and those of five more; two leads lose their conversation.
delete from "Message"
where conversation_id in (
    select c.id
    from "Conversation" as c
    order by c.started_at, c.id
    limit 5
);

delete from "Conversation"
where id in (
    select c.id
    from "Conversation" as c
    order by c.started_at, c.id
    offset 100
    limit 2
);

-- Week 3: someone has made room on the disk, by hand.
drop index "Message_role_idx";

-- Week 4: the empty conversations of week 2 are cleared away.
delete from "Conversation" as c
where not exists (
    select
    from "Message" as m
    where m.conversation_id = c.id
)
and c.started_at < timestamptz '2023-01-02';

-- Week 5: another index is in the way of an import, and two leads have two open conversations.
drop index "Conversation_lead_open_unique";

insert into "Conversation" (customer_id, lead_id, channel, started_at)
select
    l.customer_id,
    l.id,
    'sms',
    timestamptz '2025-11-03'
from "Lead" as l
join "Conversation" as c on c.lead_id = l.id and c.closed_at is null
order by l.created_at, l.id
limit 2;

create index "Message_role_idx" on "Message" (role);

-- Week 6: nine more leads, and an administrator has tidied up the grants.
insert into "Conversation" (customer_id, lead_id, channel, started_at)
select
    l.customer_id,
    l.id,
    'sms',
    timestamptz '2025-11-10'
from "Lead" as l
join "Conversation" as c on c.lead_id = l.id and c.closed_at is null
order by l.created_at desc, l.id
limit 9;

revoke select on "Audit" from gate_reader;

-- Behind: the standby has received these messages and does not show them yet.
begin;

insert into "Message" (conversation_id, role, content)
select
    c.id,
    'user',
    'When will you be there?'
from "Conversation" as c
where c.closed_at is null
order by c.started_at, c.id
limit 300;

commit;
begin;

insert into "Message" (conversation_id, role, content)
select
    m.conversation_id,
    'assistant',
    'Between eight and ten in the morning.'
from "Message" as m
where m.content = 'When will you be there?';

commit;
