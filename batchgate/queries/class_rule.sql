-- Rules, but for those that make a view a view.
-- where: exists (select from pg_catalog.pg_rewrite where rulename <> '_RETURN' and oid >= 16384)
select
    quote_ident(w.rulename) || ' on ' || r.identity as identity,
    pg_get_ruledef(w.oid) as "definition",
    w.ev_enabled as "enabled"
from pg_catalog.pg_rewrite as w
join relation as r on r.oid = w.ev_class
where w.rulename <> '_RETURN'
