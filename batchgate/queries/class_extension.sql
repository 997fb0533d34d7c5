-- Extensions.
select
    quote_ident(e.extname) as identity,
    jsonb_build_object(
        'version', e.extversion,
        'schema', n.nspname,
        'owner', pg_get_userbyid(e.extowner),
        'relocatable', e.extrelocatable,
        'configuration', e.extconfig::regclass[]::text[],
        'configuration filters', e.extcondition
    ) as attributes
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
