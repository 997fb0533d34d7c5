-- Foreign-data wrappers.
-- where: exists (select from pg_catalog.pg_foreign_data_wrapper)
select
    quote_ident(f.fdwname) as identity,
    jsonb_build_object(
        'owner', pg_get_userbyid(f.fdwowner),
        'acl', coalesce(f.fdwacl, acldefault('F', f.fdwowner))::text[],
        'handler', nullif(f.fdwhandler, 0)::regprocedure::text,
        'validator', nullif(f.fdwvalidator, 0)::regprocedure::text,
        'options', f.fdwoptions
    ) as attributes
from pg_catalog.pg_foreign_data_wrapper as f
where ('pg_foreign_data_wrapper'::regclass, f.oid) not in (table member)
