-- Where foreign tables come from.
-- where: exists (select from pg_catalog.pg_foreign_table)
select
    r.identity,
    jsonb_build_object(
        'server', s.srvname,
        'options', f.ftoptions
    ) as attributes
from pg_catalog.pg_foreign_table as f
join relation as r on r.oid = f.ftrelid
join pg_catalog.pg_foreign_server as s on s.oid = f.ftserver
