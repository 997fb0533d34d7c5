-- Constraints of tables and domains.
select
    quote_ident(c.conname) || ' on ' || coalesce(
        r.identity,
        c.contypid::regtype::text
    ) as identity,
    jsonb_build_object(
        'type', c.contype,
        'definition', pg_get_constraintdef(c.oid),
        'validated', c.convalidated,
        'deferrable', c.condeferrable,
        'deferred', c.condeferred,
        'no inherit', c.connoinherit,
        'local', c.conislocal,
        'inherited from', c.coninhcount,
        'index', nullif(c.conindid, 0)::regclass::text,
        'parent', p.conname,
        'enforced', to_jsonb(c) -> 'conenforced',
        'period', to_jsonb(c) -> 'conperiod'
    ) as attributes
from pg_catalog.pg_constraint as c
left join relation as r on r.oid = c.conrelid
left join pg_catalog.pg_constraint as p on p.oid = c.conparentid
where r.oid is not null
    or exists (
        select 1
        from pg_catalog.pg_type as t
        join user_schema as s on s.oid = t.typnamespace
        where t.oid = c.contypid
            and ('pg_type'::regclass, t.oid) not in (table member)
    )
