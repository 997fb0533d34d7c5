-- Procedural languages.
select
    quote_ident(l.lanname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(l.lanowner),
        'acl', coalesce(l.lanacl, acldefault('l', l.lanowner))::text[],
        'trusted', l.lanpltrusted,
        'handler', nullif(l.lanplcallfoid, 0)::regprocedure::text,
        'inline', nullif(l.laninline, 0)::regprocedure::text,
        'validator', nullif(l.lanvalidator, 0)::regprocedure::text
    ) as attributes
from pg_catalog.pg_language as l
