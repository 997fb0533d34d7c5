-- Triggers; those that guard a constraint bear generated names and go by constraint and function.
-- where: exists (select from pg_catalog.pg_trigger)
select
    case
        when t.tgisinternal and c.oid is not null then format(
            '%s on %s for %I on %s',
            t.tgfoid::regproc,
            r.identity,
            c.conname,
            c.conrelid::regclass
        )
        else quote_ident(t.tgname) || ' on ' || r.identity
    end as identity,
    case
        when not t.tgisinternal or c.oid is null then pg_get_triggerdef(t.oid)
    end as "definition",
    t.tgfoid::regprocedure::text as "function",
    t.tgtype as "timing and events",
    t.tgenabled as "enabled",
    t.tgdeferrable as "deferrable",
    t.tginitdeferred as "deferred",
    p.tgrelid::regclass::text as "parent"
from pg_catalog.pg_trigger as t
join relation as r on r.oid = t.tgrelid
left join pg_catalog.pg_constraint as c on c.oid = t.tgconstraint
left join pg_catalog.pg_trigger as p on p.oid = t.tgparentid
