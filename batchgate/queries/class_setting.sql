-- Settings kept for this database, for roles, and for roles in this database.
select
    format(
        '%s for %s%s',
        split_part(c, '=', 1),
        coalesce(quote_ident(r.rolname), 'all roles'),
        case when s.setdatabase <> 0 then ' in this database' end
    ) as identity,
    substr(c, strpos(c, '=') + 1) as "value"
from pg_catalog.pg_db_role_setting as s
cross join lateral unnest(s.setconfig) as c
left join pg_catalog.pg_roles as r on r.oid = s.setrole
left join pg_catalog.pg_database as d on d.oid = s.setdatabase
where s.setdatabase = 0
    or d.datname = current_database()
