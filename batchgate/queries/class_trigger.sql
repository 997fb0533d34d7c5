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
    jsonb_build_object(
        'definition', case when not t.tgisinternal then pg_get_triggerdef(t.oid) end,
        'function', t.tgfoid::regprocedure::text,
        'timing and events', t.tgtype,
        'enabled', t.tgenabled,
        'deferrable', t.tgdeferrable,
        'deferred', t.tginitdeferred
    ) as attributes
from pg_catalog.pg_trigger as t
join relation as r on r.oid = t.tgrelid
left join pg_catalog.pg_constraint as c on c.oid = t.tgconstraint
