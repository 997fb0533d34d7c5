"""A lock says what waits for it, in the server's own terms and in plain words."""

import psycopg
import pytest

from batchgate.locks import Held, Mode, held_by


@pytest.fixture
def pair(at_batch, session):
    at_batch(None)
    one, two = session("one"), session("two")
    one.run('create table "Order" (id int primary key, note text)')
    return one, two


@pytest.mark.parametrize("mode", Mode)
def test_what_conflicts_is_what_the_server_refuses(pair, mode):
    one, two = pair
    one.run("begin")
    one.run(f'lock table "Order" in {mode.statement} mode')
    for other in Mode:
        two.run("begin")
        wanted = f'lock table "Order" in {other.statement} mode nowait'
        if mode.conflicts(other):
            two.is_refused(wanted, "55P03")
        else:
            two.run(wanted)
        two.run("rollback")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        pytest.param(Mode.ACCESS_SHARE, "DDL", id="a read"),
        pytest.param(Mode.ROW_EXCLUSIVE, "DDL", id="a write"),
        pytest.param(Mode.SHARE_UPDATE_EXCLUSIVE, "DDL and vacuum", id="validate"),
        pytest.param(Mode.SHARE, "writes and DDL", id="create index"),
        pytest.param(Mode.SHARE_ROW_EXCLUSIVE, "writes and DDL", id="add foreign key"),
        pytest.param(Mode.EXCLUSIVE, "writes, row locks and DDL", id="refresh concurrently"),
        pytest.param(Mode.ACCESS_EXCLUSIVE, "reads, writes and DDL", id="alter table"),
    ],
)
def test_what_waits_is_said_in_plain_words(mode, words):
    assert mode.stops == words


def test_the_weakest_mode_that_meets_another_is_found():
    assert Mode.SHARE.weakest_conflicting() is Mode.ROW_EXCLUSIVE
    assert Mode.ACCESS_SHARE.weakest_conflicting() is Mode.ACCESS_EXCLUSIVE
    assert Mode.ACCESS_EXCLUSIVE.weakest_conflicting() is Mode.ACCESS_SHARE


def test_locks_are_told_by_qualified_name_and_kind(pair):
    one, two = pair
    one.run("begin")
    one.run('alter table "Order" add column total int')
    one.run("create table made_here (id int primary key)")
    held = held_by(two.connection, one.connection.info.backend_pid)
    assert Held('public."Order"', "table", Mode.ACCESS_EXCLUSIVE, True) in held
    assert {lock.relation for lock in held} == {'public."Order"'}


def test_a_lock_that_is_waited_for_is_not_held(pair):
    one, two = pair
    one.run("begin")
    one.run('lock table "Order"')
    attempt = two.start('select from "Order"')
    attempt.waits_on(one)
    pid = two.connection.info.backend_pid
    with psycopg.connect(one.connection.info.dsn) as observer:
        waiting = held_by(observer, pid)
    assert Held('public."Order"', "table", Mode.ACCESS_SHARE, False) in waiting
    one.run("rollback")
    attempt.succeeds()


def test_only_the_relations_asked_for_are_told(pair):
    one, two = pair
    one.run("begin")
    one.run('select from "Order"')
    pid = one.connection.info.backend_pid
    oid = two.value("select '\"Order_pkey\"'::regclass::oid")
    (only,) = held_by(two.connection, pid, [oid])
    assert (only.relation, only.kind) == ('public."Order_pkey"', "index")
    assert held_by(two.connection, pid, []) == frozenset()
