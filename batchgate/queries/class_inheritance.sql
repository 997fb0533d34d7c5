-- Partition keys and bounds, and parents in their order.
-- where: exists (select from pg_catalog.pg_inherits)
select
    r.identity,
    jsonb_build_object(
        'key', pg_get_partkeydef(r.oid),
        'bound', pg_get_expr(r.relpartbound, r.oid),
        'parents', p.parents,
        'detach pending', p.detach_pending
    ) as attributes
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
    and (r.relkind = 'p' or p.parents is not null)
