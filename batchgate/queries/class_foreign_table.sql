-- Where foreign tables come from.
-- where: exists (select from pg_catalog.pg_foreign_table)
select
    r.identity,
    s.srvname as "server",
    f.ftoptions as "options"
from pg_catalog.pg_foreign_table as f
join relation as r on r.oid = f.ftrelid and not r.is_member
join pg_catalog.pg_foreign_server as s on s.oid = f.ftserver
