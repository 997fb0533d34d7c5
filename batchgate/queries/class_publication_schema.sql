-- Schemas that are published whole.
-- since: 15
select
    format('%s in %I', s.pnnspid::regnamespace, p.pubname) as identity,
    jsonb_build_object() as attributes
from pg_catalog.pg_publication_namespace as s
join pg_catalog.pg_publication as p on p.oid = s.pnpubid
