-- All by which the planner may be led, or a name may come to mean something else; not who may do
-- what, nor statistics, so that a grant or an ANALYZE makes no difference.
with touched as (
    select unnest(%(relations)s::oid[]) as oid
    union
    select i.inhrelid
    from pg_catalog.pg_inherits as i
    where i.inhparent = any (%(relations)s::oid[])
),
fact as (
    select concat_ws(
        ' ',
        'relation',
        c.oid,
        n.nspname,
        c.relname,
        c.relkind,
        c.relfilenode,
        c.relispartition,
        c.relpartbound,
        c.relrowsecurity
    ) as fact
    from touched as t
    join pg_catalog.pg_class as c on c.oid = t.oid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    union all
    select concat_ws(
        ' ',
        'column',
        a.attrelid,
        a.attnum,
        a.attname,
        a.atttypid,
        a.atttypmod,
        a.attnotnull,
        a.attisdropped
    )
    from touched as t
    join pg_catalog.pg_attribute as a on a.attrelid = t.oid
    where a.attnum > 0
    union all
    select concat_ws(' ', 'child', i.inhparent, i.inhrelid)
    from touched as t
    join pg_catalog.pg_inherits as i on t.oid in (i.inhparent, i.inhrelid)
    union all
    select concat_ws(' ', 'index', x.indexrelid, x.indrelid, x.indisvalid, x.indisunique)
    from touched as t
    join pg_catalog.pg_index as x on t.oid in (x.indexrelid, x.indrelid)
    union all
    select concat_ws(' ', 'constraint', k.oid, k.conrelid, k.contype, k.convalidated, k.conbin)
    from touched as t
    join pg_catalog.pg_constraint as k on k.conrelid = t.oid
    union all
    select concat_ws(' ', 'rule', r.oid, r.ev_class, r.ev_enabled, r.ev_action)
    from touched as t
    join pg_catalog.pg_rewrite as r on r.ev_class = t.oid
    union all
    select concat_ws(
        ' ',
        'function',
        p.oid,
        n.nspname,
        p.proname,
        p.proargtypes,
        p.prosrc,
        p.prosqlbody,
        p.provolatile,
        p.proconfig
    )
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    join pg_catalog.pg_language as l on l.oid = p.prolang
    where p.oid >= 16384
        and l.lanname not in ('internal', 'c')
)
select pg_catalog.md5(coalesce(string_agg(f.fact, e'\n' order by f.fact), ''))
from fact as f
