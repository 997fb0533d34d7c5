-- Row security policies.
-- where: exists (select from pg_catalog.pg_policy)
select
    quote_ident(p.polname) || ' on ' || r.identity as identity,
    p.polcmd as "command",
    p.polpermissive as "permissive",
    (
        select array_agg(case when o = 0 then 'public' else pg_get_userbyid(o) end)
        from unnest(p.polroles) as o
    ) as "roles",
    pg_get_expr(p.polqual, p.polrelid) as "using",
    pg_get_expr(p.polwithcheck, p.polrelid) as "check"
from pg_catalog.pg_policy as p
join relation as r on r.oid = p.polrelid
