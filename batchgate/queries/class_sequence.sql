-- How sequences count, and the column that owns them.
-- where: exists (select from pg_catalog.pg_sequence)
select
    r.identity,
    q.seqtypid::regtype::text as "type",
    q.seqstart as "start",
    q.seqincrement as "increment",
    q.seqmin as "minimum",
    q.seqmax as "maximum",
    q.seqcache as "cache",
    q.seqcycle as "cycle",
    (
        select d.refobjid::regclass || '.' || quote_ident(a.attname)
        from pg_catalog.pg_depend as d
        join pg_catalog.pg_attribute as a
            on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass
            and d.objid = r.oid
            and d.refclassid = 'pg_class'::regclass
            and d.deptype in ('a', 'i')
    ) as "owned by"
from pg_catalog.pg_sequence as q
join relation as r on r.oid = q.seqrelid
where not r.is_member
