"""How far a server is with a statement is read from its own views, on every version."""

import os
import re

import pytest
from waits import until

from batchgate.database import connect, create_database, drop_database
from batchgate.phases import Phase, phases_on
from batchgate.sessions import Session

HELD_INDEX = ("create index t_held on t (held(x))",)
LOCKED = ("select pg_advisory_lock(7)",)
WRITING = ("begin", "insert into t values (0)")
PINNED = ("begin", "declare c cursor for select x from t", "fetch 1 from c")


@pytest.fixture
def table(batchgate_server):
    """Give sessions on a database with a table, whose index is built only once a lock is free."""
    name = f"progress_{os.getpid()}"
    create_database(batchgate_server, name)
    opened = []

    def open_session(called: str) -> Session:
        session = Session(called, connect(batchgate_server, name), lambda: opened[0].connection)
        opened.append(session)
        return session

    builder = open_session("builder")
    builder.run("create table t (x int primary key)")
    builder.run("insert into t select generate_series(1, 500)")
    builder.run(
        "create function held(int) returns int immutable language plpgsql as"
        " 'begin perform pg_catalog.pg_advisory_xact_lock_shared(7); return $1; end'"
    )
    yield open_session
    for session in reversed(opened):
        session.close()
    drop_database(batchgate_server, name)


@pytest.mark.parametrize(
    ("before", "hold", "statement", "told"),
    [
        pytest.param(
            (),
            WRITING,
            "create index concurrently t_x on t (x)",
            r"waiting for writers before build \(0 of 1 session\)",
            id="create-index-concurrently",
        ),
        pytest.param(
            (), LOCKED, HELD_INDEX[0], r"building index: scanning table \d+ %", id="create-index"
        ),
        pytest.param(HELD_INDEX, LOCKED, "analyze t", "computing statistics", id="analyze"),
        pytest.param((), PINNED, "vacuum (freeze) t", r"scanning heap \d+ %", id="vacuum"),
        pytest.param(
            HELD_INDEX, LOCKED, "cluster t using t_pkey", "rebuilding index", id="cluster"
        ),
        pytest.param((), WRITING, "lock table t", "waiting for a lock", id="lock"),
    ],
)
def test_it_is_told_how_far_the_server_is(batchgate_server, table, before, hold, statement, told):
    works, holds = table("works"), table("holds")
    for each in before:
        works.run(each)
    if hold is PINNED:
        # Rows that a transaction of whatever database may not see yet are not frozen: then VACUUM
        # has nothing to wait for.
        until(lambda: seen_by_all(works), "the end of all that ran before the rows were written")
    for each in hold:
        holds.run(each)
    pid = works.connection.info.backend_pid

    def phase() -> str:
        return str(phases_on(batchgate_server.host, batchgate_server.port).get(pid, ""))

    assert phase() == ""
    attempt = works.start(statement if statement != "lock table t" else f"begin; {statement}")
    until(lambda: re.fullmatch(told, phase()), f"{told} of {statement}, found {phase()}")
    holds.connection.close()
    attempt.succeeds()
    assert phase() == ""


def seen_by_all(session) -> bool:
    """Tell whether every transaction that was there before the rows is over."""
    (over,) = session.connection.execute(
        "select max(xmin::text::bigint) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " from t"
    ).fetchone()
    return over


def test_rows_are_counted_while_they_are_copied(batchgate_server, table):
    session = table("works")
    where = batchgate_server.host, batchgate_server.port
    with session.connection.cursor() as cursor, cursor.copy("copy t from stdin") as copy:
        # The first rows are on their way once there are many.
        copy.write("".join(f"{number}\n" for number in range(1000, 50_000)))
        pid = session.connection.info.backend_pid
        told = "copying, [1-9][0-9 ]* rows"
        until(lambda: re.fullmatch(told, str(phases_on(*where).get(pid))), "rows that are copied")


def test_a_server_that_is_gone_tells_nothing(tmp_path):
    assert phases_on(str(tmp_path), 5432) == {}


@pytest.mark.parametrize(
    ("phase", "told"),
    [
        pytest.param(Phase("scanning heap", 1, 3, ""), "scanning heap 33 %", id="part"),
        pytest.param(Phase("copying", 1, 0, "row"), "copying, 1 row", id="one"),
        pytest.param(Phase("copying", 12000, 0, "row"), "copying, 12 000 rows", id="many"),
        pytest.param(Phase("waiting", 1, 2, "session"), "waiting (1 of 2 sessions)", id="sessions"),
        pytest.param(Phase("initializing", 0, 0, ""), "initializing", id="unknown"),
    ],
)
def test_a_phase_reads_well(phase, told):
    assert str(phase) == told
