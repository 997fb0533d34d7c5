-- Which of these sessions the server makes wait, on whom, and for what.
select
    w.pid,
    w.blockers,
    x.awaited,
    x.for_rows
from (
    select
        p.pid,
        pg_catalog.pg_blocking_pids(p.pid) as blockers
    from unnest(%(pids)s::int[]) as p (pid)
) as w
left join lateral (
    select
        case
            when l.locktype = 'relation' then format(
                '%%s on %%s',
                coalesce(b.mode, l.mode),
                coalesce(format('%%I.%%I', n.nspname, c.relname), 'a relation')
            )
            when r.relation is not null then format('a row of %%s', r.relation)
            when l.locktype in ('transactionid', 'virtualxid') then 'the end of a transaction'
            when l.locktype = 'advisory' then 'an advisory lock'
            else format('%%s of a %%s', l.mode, l.locktype)
        end as awaited,
        l.locktype in ('transactionid', 'tuple', 'spectoken') as for_rows
    from pg_catalog.pg_locks as l
    left join pg_catalog.pg_class as c
        on c.oid = l.relation
    left join pg_catalog.pg_namespace as n
        on n.oid = c.relnamespace
    left join lateral (
        -- What is in the way, held or asked for before, rather than what is asked for here.
        select h.mode
        from pg_catalog.pg_locks as h
        where h.pid = any (w.blockers)
            and h.locktype = 'relation'
            and h.database = l.database
            and h.relation = l.relation
        order by array_position(%(modes)s::text[], h.mode) desc
        limit 1
    ) as b
        on true
    left join lateral (
        select format('%%I.%%I', s.nspname, t.relname) as relation
        from pg_catalog.pg_locks as h
        join pg_catalog.pg_class as t
            on t.oid = h.relation
        join pg_catalog.pg_namespace as s
            on s.oid = t.relnamespace
        where h.pid = w.pid
            and h.locktype = 'tuple'
        limit 1
    ) as r
        on l.locktype in ('transactionid', 'tuple')
    where l.pid = w.pid
        and not l.granted
    limit 1
) as x
    on true
where w.blockers <> '{}'
