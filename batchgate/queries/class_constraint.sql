-- Constraints of tables and domains.
select
    quote_ident(c.conname) || ' on ' || coalesce(
        r.identity,
        c.contypid::regtype::text
    ) as identity,
    c.contype as "type",
    pg_get_constraintdef(c.oid) as "definition",
    c.convalidated as "validated",
    c.condeferrable as "deferrable",
    c.condeferred as "deferred",
    c.connoinherit as "no inherit",
    c.conislocal as "local",
    c.coninhcount as "inherited from",
    nullif(c.conindid, 0)::regclass::text as "index",
    c.conenforced as "enforced", -- since: 18
    c.conperiod as "period", -- since: 18
    p.conname as "parent"
from pg_catalog.pg_constraint as c
left join relation as r on r.oid = c.conrelid
left join pg_catalog.pg_constraint as p on p.oid = c.conparentid
where r.oid is not null
    or exists (
        select 1
        from pg_catalog.pg_type as t
        join user_schema as s on s.oid = t.typnamespace
        where t.oid = c.contypid
            and ('pg_type'::regclass, t.oid) not in (select x.classid, x.objid from member as x)
    )
