-- Privileges that objects yet to be made will carry.
-- where: exists (select from pg_catalog.pg_default_acl)
select
    format(
        'of %I for kind %s%s',
        pg_get_userbyid(d.defaclrole),
        d.defaclobjtype,
        ' in ' || nullif(d.defaclnamespace, 0)::regnamespace::text
    ) as identity,
    d.defaclacl::text[] as "acl"
from pg_catalog.pg_default_acl as d
