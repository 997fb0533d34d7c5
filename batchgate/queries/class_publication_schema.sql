-- Schemas that are published whole.
-- where: exists (select from pg_catalog.pg_publication_namespace)
-- since: 15
select
    format('%s in %I', s.pnnspid::regnamespace, p.pubname) as identity
from pg_catalog.pg_publication_namespace as s
join pg_catalog.pg_publication as p on p.oid = s.pnpubid
