-- As many leads as generate.leads says stand there, with their jobs and audit entries.
-- The same generate.seed gives the same rows on every server: nothing is random, all is hashed.
-- psql -c 'set generate.leads = 10000' -c 'set generate.seed = 1' -f scenarios/generate.sql

create function pg_temp.draw(purpose text, i bigint, below bigint) returns bigint
language sql stable
return (
    'x' || left(md5(concat_ws(':', current_setting('generate.seed'), purpose, i)), 15)
)::bit(60)::bigint % below;

create function pg_temp.made_id(kind text, i bigint) returns uuid
language sql stable
return md5(concat_ws(':', current_setting('generate.seed'), kind, i))::uuid;

-- A person can be met several times, and each time be known by something else.
insert into "Lead" (id, channel, name, "messengerPsid", phone, email, created_at, updated_at)
select
    pg_temp.made_id('lead', i),
    case
        when d.known_by < 40 then 'messenger'::"Channel"
        else 'sms'
    end,
    case
        when d.known_by % 10 < 8 then 'Person ' || d.person
    end,
    case
        when d.known_by < 40 then 'psid-' || d.person
    end,
    case
        when d.known_by between 30 and 54
            then '+1 (555) ' || overlay(d.digits placing '-' from 4 for 0)
        when d.known_by between 55 and 69
            then '555.' || overlay(d.digits placing '.' from 4 for 0)
        when d.known_by between 70 and 74 then '555-0123'
    end,
    case
        when d.known_by between 60 and 79 then 'person' || d.person || '@example.com'
        when d.known_by between 80 and 89 then ' PERSON' || d.person || '@Example.com '
        when d.known_by between 90 and 91 then 'person' || d.person || '.example.com'
    end,
    timestamptz '2024-01-01 00:00+00' + i * interval '1 minute',
    timestamptz '2024-01-01 00:00+00' + i * interval '1 minute'
from generate_series(1, current_setting('generate.leads')::bigint) as i
cross join lateral (
    select
        p.person,
        lpad(p.person::text, 7, '0') as digits,
        pg_temp.draw('known_by', i, 100) as known_by
    from pg_temp.draw(
        'person',
        i,
        1 + current_setting('generate.leads')::bigint * 7 / 10
    ) as p (person)
) as d
order by i;

-- Three of every ten leads have a job, whichever three it is.
insert into "Job" (id, lead_id, window_start, window_end, status, created_at, updated_at)
select
    pg_temp.made_id('job', i),
    pg_temp.made_id('lead', i),
    timestamptz '2024-02-01 08:00+00' + i * interval '1 minute',
    timestamptz '2024-02-01 10:00+00' + i * interval '1 minute',
    (enum_range(null::"JobStatus"))[1 + pg_temp.draw('status', i, 4)],
    timestamptz '2024-01-01 01:00+00' + i * interval '1 minute',
    timestamptz '2024-01-01 01:00+00' + i * interval '1 minute'
from generate_series(1, current_setting('generate.leads')::bigint) as i
where (i + pg_temp.draw('job', (i - 1) / 10, 10)) % 10 < 3
order by i;

-- Nine leads in ten have entries that are messages; the tenth has entries of another actor.
insert into "Audit" (id, lead_id, actor, action, payload, created_at)
select
    pg_temp.made_id('audit', i * 5 + turn),
    pg_temp.made_id('lead', i),
    case
        when i % 10 = 0 then 'dispatcher'
        else (array['customer', 'agent', 'user', 'assistant', 'system', 'tool'])[
            1 + pg_temp.draw('actor', i * 5 + turn, 6)
        ]
    end,
    case
        when turn % 2 = 0 then 'message_sent'
        else 'message_received'
    end,
    case pg_temp.draw('payload', i * 5 + turn, 10)
        when 0 then '{}'::jsonb
        when 1 then jsonb_build_object('body', format('Body %s of lead %s', turn, i))
        when 2 then jsonb_build_object('message', format('Message %s of lead %s', turn, i))
        when 3 then jsonb_build_object('content', format('Content %s of lead %s', turn, i))
        when 4 then jsonb_build_object('result', jsonb_build_object('price', i % 500))
        else jsonb_build_object('text', format('Text %s of lead %s', turn, i))
    end,
    timestamptz '2024-01-01 00:00+00' + i * interval '1 minute' + turn * interval '7 seconds'
from generate_series(1, current_setting('generate.leads')::bigint) as i
cross join generate_series(0, 4) as turn
order by
    i,
    turn;

drop function pg_temp.made_id(text, bigint);
drop function pg_temp.draw(text, bigint, bigint);
