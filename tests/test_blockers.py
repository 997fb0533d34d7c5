"""Whoever is in the way of a run is seen in time, and told from a transaction that is prepared."""

from contextlib import suppress
from threading import Thread

import psycopg
import pytest
from waits import until

from batchgate.database import connect
from batchgate.operate import blockers, carrying
from batchgate.operate.blockers import Blockers
from batchgate.server import ThrowAwayServer
from batchgate.targets.address import Dsn, Target

WAITS = "lock table kept in access exclusive mode"


@pytest.fixture(scope="module")
def keeping(programs):
    """A server that keeps what is prepared, with a table."""
    with ThrowAwayServer({"max_prepared_transactions": "4"}) as throw_away:
        server = throw_away.start(programs)
        with connect(server, "postgres") as session:
            session.execute("create table kept (id int primary key); insert into kept values (1)")
        yield server


def seen_by(server, waits, expected):
    """Return who is seen in the way of a session that waits."""
    target = Target("", Dsn(server.conninfo("postgres")), "--dsn")
    with connect(server, "postgres") as session:
        session.execute("begin")
        waiting = Thread(target=cut_short, args=(session, waits))
        waiting.start()
        try:
            with Blockers(target, session.info.backend_pid) as blockers:
                until(lambda: len(blockers.seen) == expected, f"{expected} in the way")
        finally:
            session.cancel_safe()
            waiting.join()
        return list(blockers.seen)


def cut_short(session, waits):
    with suppress(psycopg.errors.QueryCanceled):
        session.execute(waits)


def prepared(server, name, *statements):
    """Prepare a transaction; ended by `rollback prepared`."""
    with connect(server, "postgres") as session:
        session.execute("begin")
        for statement in statements:
            session.execute(statement)
        session.execute(f"prepare transaction '{name}'")


@pytest.mark.parametrize(
    ("holds", "waits"),
    [
        pytest.param("lock table kept in row exclusive mode", WAITS, id="table"),
        pytest.param(
            "update kept set id = 2", "select from kept where id = 1 for update", id="row"
        ),
        pytest.param(
            "select pg_advisory_xact_lock(7)", "select pg_advisory_xact_lock(7)", id="key"
        ),
    ],
)
def test_a_prepared_transaction_is_told_by_its_name(keeping, holds, waits):
    prepared(keeping, "other", "create table beside (id int)")
    prepared(keeping, "nightly import", holds)
    try:
        (seen,) = seen_by(keeping, waits, 1)
    finally:
        with connect(keeping, "postgres") as session:
            session.execute("rollback prepared 'nightly import'")
            session.execute("rollback prepared 'other'")
    assert seen.startswith("a prepared transaction, nightly import, ")
    assert seen.endswith(" s old, until commit prepared or rollback prepared ends it")


def test_all_that_are_prepared_are_told_and_a_session_beside_them(keeping):
    prepared(keeping, "first", "lock table kept in row exclusive mode")
    prepared(keeping, "second", "lock table kept in row exclusive mode")
    try:
        with connect(keeping, "postgres", application_name="somebody") as third:
            third.execute("begin; lock table kept in row exclusive mode")
            seen = seen_by(keeping, WAITS, 3)
            pid = third.info.backend_pid
    finally:
        with connect(keeping, "postgres") as session:
            session.execute("rollback prepared 'first'")
            session.execute("rollback prepared 'second'")
    assert [each.split(", ")[1] for each in seen] == ["first", "second", "somebody"]
    assert seen[2].startswith(f"pid {pid}, somebody, idle in transaction, in a transaction for ")


def test_a_run_that_waits_for_a_short_while_is_looked_at_within_it(operated, monkeypatch):
    # By the clock of a long wait nobody would ever look.
    monkeypatch.setattr(blockers, "_FIRST", 3600.0)
    monkeypatch.setattr(blockers, "_AGAIN", 3600.0)
    monkeypatch.setattr(carrying, "_FIRST_PAUSE", 0.01)
    operated.done("apply", "1", "--yes")
    with operated.held_up("begin; lock table orders") as holder:
        result = operated.run("apply", "2", "--yes", "--lock-timeout", "500ms", "--retries", "5")
        pid = holder.info.backend_pid
    assert result.exit_code == 1
    assert f"held by pid {pid}, somebody" in result.stderr
    fix = "fix: Run it again at a quieter time, or raise --lock-timeout or --retries.\n"
    assert fix in result.stderr
