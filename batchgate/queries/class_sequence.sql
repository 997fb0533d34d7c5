-- How sequences count, and the column that owns them.
-- where: exists (select from pg_catalog.pg_sequence)
select
    r.identity,
    jsonb_build_object(
        'type', q.seqtypid::regtype::text,
        'start', q.seqstart,
        'increment', q.seqincrement,
        'minimum', q.seqmin,
        'maximum', q.seqmax,
        'cache', q.seqcache,
        'cycle', q.seqcycle,
        'owned by', (
            select d.refobjid::regclass || '.' || quote_ident(a.attname)
            from pg_catalog.pg_depend as d
            join pg_catalog.pg_attribute as a
                on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass
                and d.objid = r.oid
                and d.refclassid = 'pg_class'::regclass
                and d.deptype in ('a', 'i')
        )
    ) as attributes
from pg_catalog.pg_sequence as q
join relation as r on r.oid = q.seqrelid
