-- Event triggers.
-- where: exists (select from pg_catalog.pg_event_trigger)
select
    quote_ident(e.evtname) as identity,
    e.evtevent as "event",
    e.evtfoid::regprocedure::text as "function",
    e.evtenabled as "enabled",
    e.evttags as "tags",
    pg_get_userbyid(e.evtowner) as "owner"
from pg_catalog.pg_event_trigger as e
where ('pg_event_trigger'::regclass, e.oid) not in (select x.classid, x.objid from member as x)
