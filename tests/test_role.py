"""Who a session is: each power is seen, by whatever way a login comes to it, and no other."""

import psycopg
import pytest
from psycopg import sql

from batchgate.binaries import find_binaries
from batchgate.server import ThrowAwayServer
from batchgate.targets.role import Role, read_role

ROLES = """
create role plain login;
create role stats login;
grant pg_read_all_stats to stats;
create role monitor login;
grant pg_monitor to monitor;
create role "The Boss" superuser;
create role middle noinherit;
grant "The Boss" to middle;
create role climber login noinherit;
grant middle to climber;
create role runner login;
grant pg_execute_server_program to runner;
create role writer login noinherit;
grant pg_write_server_files to writer;
create role ender login;
grant pg_signal_backend to ender;
create role copier login replication;
create role behind login;
grant copier to behind;
create role busy login createrole createdb;
grant pg_write_all_data, pg_read_all_data, pg_read_server_files to busy;
create role unfiltered login bypassrls;
"""


@pytest.fixture(scope="module")
def server():
    with ThrowAwayServer() as throw_away:
        address = throw_away.start(find_binaries(explicit=None, explicit_source=""))
        with psycopg.connect(address.conninfo("postgres"), autocommit=True) as connection:
            for statement in ROLES.strip().rstrip(";").split(";"):
                connection.execute(statement.encode())
        yield address


def role_of(server, user: str) -> Role:
    with psycopg.connect(server.conninfo("postgres"), user=user) as connection:
        connection.execute("begin isolation level repeatable read read only")
        return read_role(connection)


@pytest.mark.parametrize(
    ("user", "powers"),
    [
        pytest.param("plain", (), id="none"),
        pytest.param("monitor", (), id="monitor"),
        pytest.param("busy", (), id="what-read-only-stops"),
        pytest.param("unfiltered", (), id="no-row-security"),
        pytest.param("postgres", ("postgres is a superuser",), id="superuser"),
        pytest.param(
            "climber", ('climber may become "The Boss", a superuser',), id="not-inherited-chain"
        ),
        pytest.param(
            "runner",
            ("runner may run programs on the server (pg_execute_server_program)",),
            id="programs",
        ),
        pytest.param(
            "writer", ("writer may write files on the server (pg_write_server_files)",), id="files"
        ),
        pytest.param(
            "ender", ("ender may end the sessions of others (pg_signal_backend)",), id="signals"
        ),
        pytest.param("copier", ("copier may make and drop replication slots",), id="replication"),
        pytest.param(
            "behind",
            ("behind may become copier, who may make and drop replication slots",),
            id="replication-of-another",
        ),
    ],
)
def test_a_login_is_known_by_its_powers(server, user, powers):
    assert role_of(server, user).powers == powers


def test_a_superuser_who_acts_as_another_is_one_still(server):
    with psycopg.connect(server.conninfo("postgres")) as connection:
        connection.execute("set role plain")
        role = read_role(connection)
    assert (role.user, role.session_user) == ("plain", "postgres")
    assert role.powers == ("postgres is a superuser",)
    assert not role.bypasses_row_security


def test_who_acts_as_a_superuser_is_one(server):
    with psycopg.connect(server.conninfo("postgres"), user="climber") as connection:
        connection.execute('set role "The Boss"')
        role = read_role(connection)
    assert role.powers == (
        '"The Boss" is a superuser',
        'climber may become "The Boss", a superuser',
    )


def test_who_may_become_a_superuser_does_so_in_a_select(server):
    with psycopg.connect(server.conninfo("postgres"), user="climber") as connection:
        connection.execute("begin read only")
        connection.execute("select set_config('role', 'The Boss', true)")
        assert connection.execute("select current_user").fetchone() == ("The Boss",)
        assert connection.execute("select pg_read_file('PG_VERSION')").fetchone()


@pytest.mark.parametrize(
    ("user", "sees", "bypasses"),
    [
        pytest.param("plain", False, False, id="plain"),
        pytest.param("stats", True, False, id="statistics"),
        pytest.param("monitor", True, False, id="monitor"),
        pytest.param("unfiltered", False, True, id="no-row-security"),
        pytest.param("postgres", True, True, id="superuser"),
    ],
)
def test_what_a_login_sees_is_known(server, user, sees, bypasses):
    role = role_of(server, user)
    assert (role.sees_statistics, role.bypasses_row_security) == (sees, bypasses)


def test_the_server_is_known(server):
    role = role_of(server, "plain")
    assert role.server == server.version
    assert role.server_version // 10000 == int(server.version.split(".")[0])
    assert (role.database, role.standby) == ("postgres", False)


def test_a_role_is_read_in_one_query_and_nothing_stays(server):
    with psycopg.connect(server.conninfo("postgres"), user="plain") as connection:
        for _ in range(7):
            read_role(connection)
        prepared = connection.execute("select count(*) from pg_prepared_statements")
        assert prepared.fetchone() == (0,)


def test_names_of_any_kind_are_quoted(server):
    name = 'O"Neil, ann'
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login replication").format(sql.Identifier(name)))
    role = role_of(server, name)
    assert role.user == name
    assert role.powers == ('"O""Neil, ann" may make and drop replication slots',)
