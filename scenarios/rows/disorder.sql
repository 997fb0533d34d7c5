-- Rows that offend every gate in every way, among many that offend none.
-- The same generate.seed gives the same rows: nothing is random, all is hashed. Moments are few, so
-- that rows of one moment are told apart by their ids alone.

alter table "Lead" alter column customer_id drop not null;
alter table "Job" alter column customer_id drop not null;
alter table "Lead" drop constraint "Lead_customer_id_fkey";
alter table "Job" drop constraint "Job_customer_id_fkey";
alter table "Conversation" drop constraint "Conversation_lead_id_fkey";
alter table "Message" drop constraint "Message_conversation_id_fkey";
alter table "Audit" drop constraint "Audit_lead_id_fkey";
drop index "Conversation_lead_open_unique";

create function pg_temp.draw(purpose text, i bigint, below bigint) returns bigint
language sql stable
return (
    'x' || left(md5(concat_ws(':', current_setting('generate.seed'), purpose, i)), 15)
)::bit(60)::bigint % below;

create function pg_temp.made_id(kind text, i bigint) returns uuid
language sql stable
return md5(concat_ws(':', current_setting('generate.seed'), kind, i))::uuid;

create function pg_temp.moment(purpose text, i bigint) returns timestamptz
language sql stable
return timestamptz '2025-11-10 09:00+00' + pg_temp.draw(purpose, i, 4) * interval '1 hour';

insert into "Customer" (id, metadata)
select
    pg_temp.made_id('customer', i),
    (array[
        '{}',
        '{"leadCount": null, "groupType": "phone"}',
        '{"leadCount": "2", "groupType": "none of them"}',
        '{"leadCount": 0, "groupType": "individual"}',
        '{"leadCount": 2, "groupType": "email"}',
        '{"leadCount": 3, "groupType": "psid"}'
    ])[1 + pg_temp.draw('metadata', i, 6)]::jsonb
from generate_series(1, 20) as i;

-- Customers 21 to 23 do not exist.
insert into "Lead" (id, channel, name, phone, customer_id, created_at)
select
    pg_temp.made_id('lead', i),
    'sms',
    'Lead ' || i,
    '555000' || i,
    case
        when pg_temp.draw('unlinked', i, 10) > 0
            then pg_temp.made_id('customer', 1 + pg_temp.draw('customer', i, 23))
    end,
    pg_temp.moment('lead at', i)
from generate_series(1, 80) as i;

insert into "Job" (id, lead_id, customer_id, window_start, window_end, created_at)
select
    pg_temp.made_id('job', i),
    l.id,
    case pg_temp.draw('job customer', i, 6)
        when 0 then null
        when 1 then pg_temp.made_id('customer', 1 + pg_temp.draw('stray', i, 23))
        else l.customer_id
    end,
    '2025-11-20 09:00+00',
    '2025-11-20 11:00+00',
    pg_temp.moment('job at', i)
from generate_series(1, 60) as i
join "Lead" as l on l.id = pg_temp.made_id('lead', 1 + pg_temp.draw('job lead', i, 80));

-- No conversation names a lead above 50, unless it is one that does not exist, above 80.
insert into "Conversation" (id, customer_id, lead_id, channel, started_at, closed_at)
select
    pg_temp.made_id('conversation', i),
    pg_temp.made_id('customer', 1 + pg_temp.draw('conversation customer', i, 20)),
    case pg_temp.draw('conversation lead', i, 8)
        when 0 then null
        when 1 then pg_temp.made_id('lead', 81 + pg_temp.draw('gone', i, 3))
        else pg_temp.made_id('lead', 1 + pg_temp.draw('lead', i, 50))
    end,
    'sms',
    pg_temp.moment('started', i),
    case
        when pg_temp.draw('closed', i, 2) = 0 then '2025-11-30 09:00+00'::timestamptz
    end
from generate_series(1, 90) as i;

-- Conversations above 90 do not exist. Nobody writes as the system, nor, for half of the seeds, as
-- the assistant.
insert into "Message" (id, conversation_id, role, content, created_at)
select
    pg_temp.made_id('message', i),
    pg_temp.made_id('conversation', 1 + pg_temp.draw('conversation', i, 100)),
    (array['user', 'tool', 'assistant']::"MessageRole"[])[
        1 + pg_temp.draw('role', i, 2 + pg_temp.draw('roles', 0, 2))
    ],
    'Message ' || i,
    pg_temp.moment('message at', i)
from generate_series(1, 150) as i;

insert into "Audit" (id, lead_id, actor, action, payload, created_at)
select
    pg_temp.made_id('audit', i),
    case
        when pg_temp.draw('of no lead', i, 8) > 0
            then pg_temp.made_id('lead', 1 + pg_temp.draw('audit lead', i, 84))
    end,
    (array[
        'customer', 'user', 'agent', 'assistant', 'system', 'tool',
        'dispatcher', 'Customer', 'customer ', ''
    ])[1 + pg_temp.draw('actor', i, 10)],
    'message_sent',
    '{}',
    pg_temp.moment('audit at', i)
from generate_series(1, 120) as i;

drop function pg_temp.moment(text, bigint);
drop function pg_temp.made_id(text, bigint);
drop function pg_temp.draw(text, bigint, bigint);
