-- Partition keys and bounds, and parents in their order.
-- where: exists (select from pg_catalog.pg_inherits) or exists (select from pg_catalog.pg_partitioned_table)
select
    r.identity,
    pg_get_partkeydef(r.oid) as "key",
    pg_get_expr(r.relpartbound, r.oid) as "bound",
    p.parents as "parents",
    p.detach_pending as "detach pending"
from relation as r
left join (
    select
        i.inhrelid,
        array_agg(i.inhparent::regclass::text order by i.inhseqno) as parents,
        bool_or(i.inhdetachpending) as detach_pending
    from pg_catalog.pg_inherits as i
    group by i.inhrelid
) as p on p.inhrelid = r.oid
where r.relkind in ('r', 'p', 'f')
    and not r.is_member
    and (r.relkind = 'p' or p.parents is not null)
