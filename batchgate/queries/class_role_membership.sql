-- Who is a member of which role, and by whom.
select
    format(
        '%I in %I by %I',
        pg_get_userbyid(m.member),
        pg_get_userbyid(m.roleid),
        pg_get_userbyid(m.grantor)
    ) as identity,
    m.inherit_option as "inherit", -- since: 16
    m.set_option as "set", -- since: 16
    m.admin_option as "admin"
from pg_catalog.pg_auth_members as m
