-- As many leads as pipeline.leads says have gone through every batch, with all that is theirs.

-- For one lead: seven customers in ten, three jobs in ten, a conversation, five messages and five
-- audit rows, in the order in which time brings them. Nothing is random, all is hashed.

-- Rows go in before their keys and indexes: one sort each instead of a walk for every row.
create temporary table taken_off as
select
    format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as dropped,
    format(
        'alter table %s add constraint %I %s',
        c.conrelid::regclass,
        c.conname,
        pg_get_constraintdef(c.oid)
    ) as made,
    case c.contype when 'f' then 3 else 1 end as place
from pg_catalog.pg_constraint as c
where c.connamespace = 'public'::regnamespace
    and c.contype in ('p', 'u', 'f')
union all
select
    format('drop index %s', i.indexrelid::regclass),
    pg_get_indexdef(i.indexrelid),
    2
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
where c.relnamespace = 'public'::regnamespace
    and not exists (
        select
        from pg_catalog.pg_constraint as k
        where k.conindid = i.indexrelid
            and k.contype in ('p', 'u')
    );

do $$
declare
    statement text;
begin
    for statement in select t.dropped from taken_off as t order by t.place desc, t.dropped loop
        execute statement;
    end loop;
end
$$;

create function pg_temp.made_id(kind text, i bigint) returns uuid
language sql immutable
return md5(kind || i)::uuid;

create function pg_temp.draw(purpose text, i bigint, below bigint) returns bigint
language sql immutable
return ('x' || left(md5(purpose || i), 15))::bit(60)::bigint % below;

-- A lead comes every minute; the first seven in ten are new customers, the others come again.
create temporary table arrival as
select
    i as lead,
    case
        when i <= p.people then i
        else 1 + pg_temp.draw('customer', i, p.people)
    end as customer,
    timestamptz '2023-01-01 00:00+00' + i * interval '1 minute' as at
from (select current_setting('pipeline.leads')::bigint * 7 / 10 as people) as p
cross join generate_series(1, current_setting('pipeline.leads')::bigint) as i;

insert into "Customer" (id, name, phone, metadata, created_at, updated_at)
select
    pg_temp.made_id('customer', a.customer),
    'Person ' || a.customer,
    '555' || lpad(a.customer::text, 7, '0'),
    jsonb_build_object(
        'groupType', 'phone',
        'groupKey', '555' || lpad(a.customer::text, 7, '0'),
        'leadCount', count(*),
        'createdBy', 'backfill_customers',
        'multipleLeads', count(*) > 1
    ),
    min(a.at),
    min(a.at)
from arrival as a
group by a.customer
order by a.customer;

insert into "Lead" (id, channel, name, phone, email, created_at, updated_at, customer_id)
select
    pg_temp.made_id('lead', a.lead),
    'sms',
    'Person ' || a.customer,
    '+1 (555) ' || lpad(a.customer::text, 7, '0'),
    'person' || a.customer || '@example.com',
    a.at,
    a.at,
    pg_temp.made_id('customer', a.customer)
from arrival as a
order by a.lead;

insert into "Job" (id, lead_id, window_start, window_end, status, created_at, customer_id)
select
    pg_temp.made_id('job', a.lead),
    pg_temp.made_id('lead', a.lead),
    a.at + interval '3 days',
    a.at + interval '3 days 2 hours',
    (enum_range(null::"JobStatus"))[1 + pg_temp.draw('status', a.lead, 4)],
    a.at + interval '1 hour',
    pg_temp.made_id('customer', a.customer)
from arrival as a
where a.lead % 10 < 3
order by a.lead;

-- One lead in a thousand has said nothing and has none; another has closed one and opened one.
create temporary table talk as
select
    row_number() over (order by a.lead, opened.turn) as conversation,
    a.lead,
    a.customer,
    a.at + opened.turn * interval '5 days' as at,
    opened.turn = 0 and (a.lead % 1000 = 1 or a.lead % 10 = 4) as closed
from arrival as a
cross join generate_series(0, case a.lead % 1000 when 0 then -1 when 1 then 1 else 0 end)
    as opened (turn);

insert into "Conversation" (
    id, customer_id, lead_id, channel, external_id, started_at, last_message_at, metadata, closed_at
)
select
    pg_temp.made_id('conversation', t.conversation),
    pg_temp.made_id('customer', t.customer),
    pg_temp.made_id('lead', t.lead),
    'sms',
    case
        when t.lead = t.customer and t.closed is not true
            then '555' || lpad(t.customer::text, 7, '0')
    end,
    t.at,
    t.at + interval '2 hours',
    '{"source": "audit_backfill"}',
    case when t.closed then t.at + interval '4 days' end
from talk as t
order by t.at;

-- From one message to twelve, fifty for ten conversations.
insert into "Message" (id, conversation_id, role, content, metadata, created_at)
select
    pg_temp.made_id('message', t.conversation * 100 + turn),
    pg_temp.made_id('conversation', t.conversation),
    case
        when turn % 2 = 1 then 'user'::"MessageRole"
        when turn = 10 then 'tool'
        when turn = 12 then 'system'
        else 'assistant'
    end,
    format(
        (array[
            'Can you pick up a sofa and %s boxes, turn %s of lead %s?',
            'We can come on day %s of the month, %s in the morning; the price is %s.',
            'Yes, %s pieces, there are %s flights of stairs at number %s.'
        ])[1 + turn % 3],
        pg_temp.draw('pieces', t.conversation, 28),
        turn,
        t.lead
    ),
    jsonb_build_object(
        'source', 'audit_backfill',
        'auditId', pg_temp.made_id('audit', t.conversation * 5 + turn)
    ),
    t.at + turn * interval '11 minutes'
from talk as t
cross join generate_series(1, (array[1, 1, 2, 3, 4, 5, 6, 7, 9, 12])[1 + t.conversation % 10])
    as turn
order by t.at + turn * interval '11 minutes';

insert into "Audit" (id, lead_id, actor, action, payload, created_at)
select
    pg_temp.made_id('audit', a.lead * 5 + turn),
    pg_temp.made_id('lead', a.lead),
    case
        when a.lead % 1000 = 0 then 'dispatcher'
        when turn % 2 = 1 then 'customer'
        else 'agent'
    end,
    case
        when turn % 2 = 1 then 'message_received'
        else 'message_sent'
    end,
    jsonb_build_object('text', format('Text %s of lead %s: a sofa and a piano', turn, a.lead)),
    a.at + turn * interval '11 minutes'
from arrival as a
cross join generate_series(1, 5) as turn
order by a.at + turn * interval '11 minutes';

do $$
declare
    statement text;
begin
    for statement in select t.made from taken_off as t order by t.place, t.made loop
        execute statement;
    end loop;
end
$$;

drop table taken_off;
drop table arrival;
drop table talk;
drop function pg_temp.draw(text, bigint, bigint);
drop function pg_temp.made_id(text, bigint);
