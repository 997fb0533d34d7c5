-- Procedural languages.
select
    quote_ident(l.lanname) as identity,
    pg_get_userbyid(l.lanowner) as "owner",
    coalesce(l.lanacl, acldefault('l', l.lanowner))::text[] as "acl",
    l.lanpltrusted as "trusted",
    nullif(l.lanplcallfoid, 0)::regprocedure::text as "handler",
    nullif(l.laninline, 0)::regprocedure::text as "inline",
    nullif(l.lanvalidator, 0)::regprocedure::text as "validator"
from pg_catalog.pg_language as l
