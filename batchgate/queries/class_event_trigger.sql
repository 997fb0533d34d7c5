-- Event triggers.
-- where: exists (select from pg_catalog.pg_event_trigger)
select
    quote_ident(e.evtname) as identity,
    jsonb_build_object(
        'event', e.evtevent,
        'function', e.evtfoid::regprocedure::text,
        'enabled', e.evtenabled,
        'tags', e.evttags,
        'owner', pg_get_userbyid(e.evtowner)
    ) as attributes
from pg_catalog.pg_event_trigger as e
where ('pg_event_trigger'::regclass, e.oid) not in (table member)
