-- Who is a member of which role, and by whom.
select
    format(
        '%I in %I by %I',
        pg_get_userbyid(m.member),
        pg_get_userbyid(m.roleid),
        pg_get_userbyid(m.grantor)
    ) as identity,
    jsonb_build_object(
        'admin', m.admin_option,
        'inherit', to_jsonb(m) -> 'inherit_option',
        'set', to_jsonb(m) -> 'set_option'
    ) as attributes
from pg_catalog.pg_auth_members as m
where not starts_with(pg_get_userbyid(m.member), 'pg_')
