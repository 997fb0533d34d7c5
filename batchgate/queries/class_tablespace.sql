-- Tablespaces of the cluster.
select
    quote_ident(t.spcname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(t.spcowner),
        'acl', coalesce(t.spcacl, acldefault('t', t.spcowner))::text[],
        'options', t.spcoptions
    ) as attributes
from pg_catalog.pg_tablespace as t
