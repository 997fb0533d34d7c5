"""Gates over the ways that lead to a server: a pooler, a password, TLS."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from replicas import gate_role
from test_visitor import READER, SOUND, gate, held_to, no_result_of, replica, visiting  # noqa: F401
from wires import password_server, pgbouncer, tls_server

from batchgate.database import connect
from batchgate.findings import Cause, State
from batchgate.targets.address import read_targets


def target_at(dsn: str):
    (target,) = read_targets([dsn], None, None)
    return target


def test_gates_share_a_snapshot_through_a_pooler_and_leave_its_sessions_as_they_were(replica):  # noqa: F811
    with pgbouncer(replica.standby, users=(READER, "postgres")) as dsn:
        target = target_at(dsn)
        with visiting(target) as (visitor, desk):
            first = visitor.run(target, gate("select id from item"), "x", ())
            replica.run("insert into item values (0)")
            replica.catch_up()
            second = visitor.run(target, gate("select id from item"), "x", ())
            assert (first.count, second.count) == (1000, 1000)
            assert desk.reports()[0].role == "standby"
        with psycopg.connect(dsn, autocommit=True) as next_client:
            settings = next_client.execute(
                "select current_setting('statement_timeout'), current_setting('search_path'),"
                " current_setting('work_mem'), current_setting('row_security')"
            ).fetchone()
    assert settings == ("0", '"$user", public', "4MB", "on")


def test_a_pooler_without_a_session_to_spare_is_no_hang(replica, monkeypatch):  # noqa: F811
    monkeypatch.setattr("batchgate.limits._GRACE", 0.3)
    with pgbouncer(replica.standby, users=(READER,), pool_size=1) as dsn:
        target = target_at(dsn)
        with visiting(target, manner=held_to(statement_timeout="200ms")) as (visitor, _):
            # The one session keeps the snapshot.
            assert no_result_of(visitor, target, SOUND).cause is Cause.LOST
        with visiting(target, manner=held_to(), per_gate=True) as (visitor, _):
            assert visitor.run(target, SOUND, "x", ()).state is State.PASSED


@pytest.mark.parametrize("guarded", [password_server, tls_server], ids=["password", "tls"])
def test_gates_run_with_a_password_and_over_tls(guarded):
    with guarded() as server:
        with connect(server.server, "postgres") as session:
            session.execute("create table item (id int); insert into item values (1)")
        gate_role(server.server, server.user, ["item"])
        target = target_at(server.conninfo())
        with visiting(target) as (visitor, desk):
            assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
            assert server.password not in str(desk.reports())
        wrong = target_at(make_conninfo(server.conninfo(), password="wrong"))
        with visiting(wrong) as (visitor, _):
            result = no_result_of(visitor, wrong, SOUND)
            assert result.cause is Cause.UNREACHABLE
            assert "password" in result.reason
