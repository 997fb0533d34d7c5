-- Foreign-data wrappers.
-- where: exists (select from pg_catalog.pg_foreign_data_wrapper)
select
    quote_ident(f.fdwname) as identity,
    pg_get_userbyid(f.fdwowner) as "owner",
    coalesce(f.fdwacl, acldefault('F', f.fdwowner))::text[] as "acl",
    nullif(f.fdwhandler, 0)::regprocedure::text as "handler",
    nullif(f.fdwvalidator, 0)::regprocedure::text as "validator",
    f.fdwoptions as "options"
from pg_catalog.pg_foreign_data_wrapper as f
where ('pg_foreign_data_wrapper'::regclass, f.oid) not in (select x.classid, x.objid from member as x)
