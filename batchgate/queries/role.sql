-- Who this session is, where, and what it could do that a read-only transaction does not prevent.
-- Membership counts through any chain, inherited or not: a role that one can become is one's own.
with login as (
    select distinct
        r.oid,
        r.rolname,
        r.rolsuper,
        r.rolreplication
    from pg_catalog.pg_roles as r
    where r.rolname in (current_user, session_user)
),
power as (
    select
        1 as place,
        l.rolname as role,
        'is a superuser' as power
    from login as l
    where l.rolsuper
    union all
    select
        2,
        l.rolname,
        'may become ' || pg_catalog.quote_ident(r.rolname) || ', a superuser'
    from login as l
    join pg_catalog.pg_roles as r
        on r.oid <> l.oid
        and r.rolsuper
        and pg_catalog.pg_has_role(l.oid, r.oid, 'member')
    where not l.rolsuper
    union all
    select
        3,
        l.rolname,
        case
            when r.oid = l.oid then 'may make and drop replication slots'
            else 'may become ' || pg_catalog.quote_ident(r.rolname)
                || ', who may make and drop replication slots'
        end
    from login as l
    join pg_catalog.pg_roles as r
        on r.rolreplication
        and not r.rolsuper
        and pg_catalog.pg_has_role(l.oid, r.oid, 'member')
    where not l.rolsuper
    union all
    select
        3 + m.place,
        l.rolname,
        m.power || ' (' || m.role || ')'
    from login as l
    cross join (
        values
            (1, 'pg_execute_server_program', 'may run programs on the server'),
            (2, 'pg_write_server_files', 'may write files on the server'),
            (3, 'pg_signal_backend', 'may end the sessions of others')
    ) as m (place, role, power)
    join pg_catalog.pg_roles as r on r.rolname = m.role
    where not l.rolsuper
        and pg_catalog.pg_has_role(l.oid, r.oid, 'member')
)
select
    current_user::text,
    session_user::text,
    pg_catalog.current_database()::text,
    pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
    pg_catalog.current_setting('server_version_num')::integer,
    pg_catalog.pg_is_in_recovery(),
    pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage'),
    u.rolsuper or u.rolbypassrls,
    array(
        select pg_catalog.quote_ident(p.role) || ' ' || p.power
        from power as p
        order by
            p.place,
            p.role,
            p.power
    )
from pg_catalog.pg_roles as u
where u.rolname = current_user
