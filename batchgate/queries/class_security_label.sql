-- Security labels.
-- where: exists (select from pg_catalog.pg_seclabel union all select from pg_catalog.pg_shseclabel)
select
    l.provider || ' on ' || o.type || ' ' || o.identity as identity,
    l.label as "label"
from (
    select
        i.classoid,
        i.objoid,
        i.objsubid,
        i.provider,
        i.label
    from pg_catalog.pg_seclabel as i
    union all
    select
        h.classoid,
        h.objoid,
        0,
        h.provider,
        h.label
    from pg_catalog.pg_shseclabel as h
) as l
cross join lateral pg_identify_object(l.classoid, l.objoid, l.objsubid) as o
where (l.classoid, l.objoid) not in (select x.classid, x.objid from member as x)
