"""Gates on a real standby: whatever befalls it, a result is true or is none, and says why."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from replicas import Pair, gate_role, primary_and_standby
from waits import until
from wires import cuttable

from batchgate.database import connect
from batchgate.errors import BatchFailed
from batchgate.findings import Cause, State
from batchgate.gates.run import Manner
from batchgate.header import BATCH_KEYS, GATE_KEYS, read_header
from batchgate.limits import Limits
from batchgate.suite import Batch, Gate
from batchgate.targets.address import Target, read_targets
from batchgate.targets.desk import DistantDesk, FrontDesk
from batchgate.targets.keeper import Keeper
from batchgate.targets.lag import lag_limit
from batchgate.targets.terms import Terms
from batchgate.targets.visitor import Visitor

READER = "gate_reader"
HEADER = "-- True.\n-- level: required\n-- of: item\n-- show: id\n-- fix: Do it.\n"


def gate(sql: str, name: str = "01_x") -> Gate:
    header = read_header(HEADER, path="", keys=GATE_KEYS, required=True)
    return Gate(name, 1, Path(f"gates/{name}.sql"), header, sql, 7)


SOUND = gate("select id from item where id < 0")
SLOW = gate("select id from item where id < length(pg_sleep(20)::text)")


@pytest.fixture
def replica(pair: Pair) -> Pair:
    """A pair with a table of a thousand items, and a role that reads it."""
    pair.run("drop table if exists item, once", "create table item (id int, owner text)")
    pair.run("insert into item select n, 'ann@example.com' from generate_series(1, 1000) as n")
    gate_role(pair, READER, ["item"])
    return pair


def target_of(server, name: str = "", user: str = READER) -> Target:
    dsn = f"host={server.host} port={server.port} dbname=postgres user={user}"
    (target,) = read_targets([f"{name}={dsn}" if name else dsn], None, None)
    return target


@contextmanager
def visiting(target: Target, **terms) -> Iterator[tuple[Visitor, FrontDesk]]:
    chosen = Terms(**terms)
    desk = FrontDesk([Keeper(target, chosen, [SOUND.sql])])
    visitor = Visitor(desk, chosen)
    try:
        yield visitor, desk
    finally:
        visitor.close()
        desk.close()


def test_a_gate_gives_its_result_on_a_standby(replica):
    target = target_of(replica.standby)
    with visiting(target) as (visitor, desk):
        result = visitor.run(target, SOUND, "gates/01_x.sql", ())
        assert (result.state, result.count, result.tries) == (State.PASSED, 0, 1)
        found = visitor.run(target, gate("select id, owner from item"), "gates/01_x.sql", ())
        assert (found.state, found.count) == (State.FAILED, 1000)
        assert len(found.sample) == 5
        (report,) = desk.reports()
        assert (report.role, report.snapshot_mode, len(report.snapshots)) == (
            "standby",
            "shared",
            1,
        )
        assert report.lag_bytes == 0


def test_all_gates_see_one_moment_whatever_is_written_meanwhile(replica):
    target = target_of(replica.standby)
    counting = gate("select id from item")
    with visiting(target) as (visitor, _):
        first = visitor.run(target, counting, "x", ())
        replica.run("insert into item select 0 from generate_series(1, 50)")
        replica.catch_up()
        second = visitor.run(target, counting, "x", ())
        assert (first.count, second.count) == (1000, 1000)
        assert first.snapshot == second.snapshot == 1


def test_with_a_snapshot_for_each_gate_the_next_one_sees_what_was_written(replica):
    target = target_of(replica.standby)
    counting = gate("select id from item")
    with visiting(target, per_gate=True) as (visitor, desk):
        first = visitor.run(target, counting, "x", ())
        replica.run("insert into item select 0 from generate_series(1, 50)")
        replica.catch_up()
        second = visitor.run(target, counting, "x", ())
        assert (first.count, second.count) == (1000, 1050)
        assert desk.reports()[0].snapshot_mode == "per-gate"


def at_work(server) -> set[tuple[int, object]]:
    """Return the gates that a server works at, each by its process and its transaction."""
    with connect(server, "postgres") as session:
        return set(
            session.execute(
                "select pid, xact_start from pg_stat_activity"
                " where state = 'active' and query like 'fetch forward%'"
            ).fetchall()
        )


@contextmanager
def meanwhile(act, server):
    """Act once a gate is at work on the server."""
    failed = []

    def do():
        try:
            until(lambda: at_work(server), "a gate at work")
            act()
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=do)
    thread.start()
    yield
    thread.join()
    assert not failed, failed


def test_who_was_abandoned_runs_nothing_on_a_connection_that_comes_later(replica):
    with visiting(target_of(replica.primary)) as (visitor, _):
        assert visitor.run(target_of(replica.primary), SOUND, "x", ()).state is State.PASSED
        visitor.close()
        visitor.abandon()
        result = visitor.run(target_of(replica.primary), SOUND, "x", ())
        assert (result.state, result.cause) == (State.NO_RESULT, Cause.CUT)


@pytest.mark.parametrize("per_gate", [False, True], ids=["shared", "per-gate"])
def test_a_gate_that_replay_cancels_is_tried_again_on_a_snapshot_of_its_own(replica, per_gate):
    target = target_of(replica.standby)
    replica.run("create table once (n int)", "grant select on once to gate_reader")
    replica.catch_up()
    # The first try sleeps over the table; one that sees a row in the other does not.
    waiting = gate(
        "select id from item where id < (select case when exists (select from once) then 0"
        " else length(pg_sleep(20)::text) end)"
    )
    with visiting(target, per_gate=per_gate) as (visitor, desk):

        def conflict():
            replica.run("insert into once values (1)")
            replica.provoke_snapshot_conflict("item")

        with meanwhile(conflict, replica.standby):
            result = visitor.run(target, waiting, "x", ())
        # What follows the conflict in the log may be one, too.
        assert (result.state, result.tries > 1) == (State.PASSED, True), result
        if not per_gate:
            assert result.snapshot > 1
            assert "snapshots were needed" in " ".join(desk.reports()[0].notes)


def test_a_gate_that_is_cancelled_three_times_gives_no_result(replica):
    target = target_of(replica.standby)
    with visiting(target) as (visitor, _):
        over = Event()

        def conflict():
            seen = set()

            def another():
                return at_work(replica.standby) - seen or over.is_set()

            while not over.is_set():
                if (tries := until(another, "another try")) is not True:
                    seen.update(tries)
                    replica.provoke_snapshot_conflict("item")

        with meanwhile(conflict, replica.standby):
            result = visitor.run(target, SLOW, "x", ())
            over.set()
        assert (result.state, result.tries) == (State.NO_RESULT, 3), result
        # What follows a conflict in the log may end the next snapshot before the gate has it.
        assert result.cause in {Cause.CONFLICT, Cause.NO_SNAPSHOT}
        assert result.count is None
        assert "tried 3 times" in result.reason
        assert "--snapshot=per-gate" in result.fix


def test_a_gate_gives_way_when_replay_has_waited_long_enough(replica):
    replica.set_standby(max_standby_streaming_delay="-1")
    target = target_of(replica.standby)
    replica.run("create table once (n int)", "grant select on once to gate_reader")
    replica.catch_up()
    waiting = gate(
        "select id from item where id < (select case when exists (select from once) then 0"
        " else length(pg_sleep(20)::text) end)"
    )
    with visiting(target, max_replay_wait=1.0) as (visitor, desk):

        def conflict():
            replica.run("insert into once values (1)")
            replica.provoke_snapshot_conflict("item")

        with meanwhile(conflict, replica.standby):
            result = visitor.run(target, waiting, "x", ())
        assert (result.state, result.tries > 1) == (State.PASSED, True), result
        assert "gave way to replay 1 time" in desk.reports()[0].notes


def held_to(**limits: str) -> Manner:
    return Manner(limits=Limits(**limits))


def no_result_of(visitor: Visitor, target: Target, asked: Gate):
    result = visitor.run(target, asked, "gates/01_x.sql", ())
    assert (result.state, result.count, result.sample) == (State.NO_RESULT, None, ()), result
    return result


def test_a_gate_that_takes_too_long_is_not_tried_again(replica):
    target = target_of(replica.standby)
    with visiting(target, manner=held_to(statement_timeout="100ms")) as (visitor, _):
        result = no_result_of(visitor, target, SLOW)
        assert (result.cause, result.reason, result.tries) == (
            Cause.TIMED_OUT,
            "timed out: after 100ms",
            1,
        )
        assert "--statement-timeout" in result.fix


def test_a_gate_does_not_wait_long_for_a_change_of_schema(replica):
    target = target_of(replica.standby)
    with visiting(target, manner=held_to(lock_timeout="100ms")) as (visitor, _):
        assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
        with replica.hold_lock("item"):
            with connect(replica.standby, "postgres") as session:
                held = "select from pg_locks where mode = 'AccessExclusiveLock' and granted"
                until(lambda: session.execute(held).fetchone() is not None, "the lock's replay")
            result = no_result_of(visitor, target, SOUND)
        assert (result.cause, result.tries) == (Cause.LOCK_WAIT, 1)
        assert "[55P03]" in result.reason


def terminate_gates(server, function: str = "pg_terminate_backend") -> None:
    with connect(server, "postgres") as session:
        for pid, _ in at_work(server):
            session.execute(f"select {function}(%s)".encode(), [pid])


@pytest.mark.parametrize(
    ("function", "cause"),
    [("pg_terminate_backend", Cause.LOST), ("pg_cancel_backend", Cause.CANCELLED)],
)
def test_a_gate_that_someone_ends_gives_no_result_and_the_next_one_does(replica, function, cause):
    target = target_of(replica.standby)
    with visiting(target) as (visitor, _):
        with meanwhile(lambda: terminate_gates(replica.standby, function), replica.standby):
            result = no_result_of(visitor, target, SLOW)
        assert (result.cause, result.tries) == (cause, 1)
        assert visitor.run(target, SOUND, "x", ()).state is State.PASSED


def over(wire) -> Target:
    dsn = wire.conninfo("postgres", user=READER, connect_timeout="2")
    (target,) = read_targets([dsn], None, None)
    return target


def test_a_server_that_does_not_answer_is_given_up(replica, monkeypatch):
    monkeypatch.setattr("batchgate.limits._GRACE", 0.3)
    manner = held_to(statement_timeout="200ms")
    with cuttable(replica.standby) as wire:
        target = over(wire)
        with visiting(target, manner=manner) as (visitor, desk):
            assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
            wire.freeze()
            result = no_result_of(visitor, target, SOUND)
            assert result.cause in (Cause.LOST, Cause.UNREACHABLE)
            # Nobody waits as long again for each of the gates that remain.
            assert no_result_of(visitor, target, SOUND).reason == result.reason
            assert desk.reports()[0].error == result.reason


def test_a_gate_whose_answer_does_not_come_is_given_up(replica):
    with cuttable(replica.standby) as wire:
        target = over(wire)
        with visiting(target) as (visitor, _):
            assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
            for line in visitor._lines.values():
                line.patience = 0.5
            with meanwhile(wire.freeze, replica.standby):
                result = no_result_of(visitor, target, SLOW)
            assert result.reason == "connection lost: no answer within 0 s"
            wire.thaw()


def test_a_cut_connection_is_no_result(replica):
    with cuttable(replica.standby) as wire:
        target = over(wire)
        with visiting(target) as (visitor, _):
            assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
            with meanwhile(wire.cut, replica.standby):
                result = no_result_of(visitor, target, SLOW)
            assert (result.cause, result.tries) == (Cause.CUT, 1)


def test_a_server_that_cannot_be_reached_is_asked_once():
    (target,) = read_targets(["host=127.0.0.1 port=1 dbname=x user=y"], None, None)
    with visiting(target) as (visitor, desk):
        first = no_result_of(visitor, target, SOUND)
        assert first.cause is Cause.UNREACHABLE
        assert no_result_of(visitor, target, SOUND).reason == first.reason
        assert desk.reports()[0].role == ""


def test_a_missing_grant_is_named_and_can_be_pasted(replica):
    replica.run("create table if not exists secret (id int)", "revoke all on secret from public")
    replica.catch_up()
    # Where no conflict with replay ends the snapshot.
    target = target_of(replica.primary)
    asked = gate("select id from secret")
    with visiting(target) as (visitor, _):
        result = no_result_of(visitor, target, asked)
        assert (result.cause, result.tries) == (Cause.NOT_PERMITTED, 1)
        *_, statement = result.fix.splitlines()
        replica.run("insert into secret values (1)", statement)
        replica.catch_up()
        assert visitor.run(target, asked, "x", ()).state is State.PASSED
    with visiting(target) as (visitor, _):
        assert visitor.run(target, asked, "x", ()).count == 1
    replica.run("drop table secret")


def test_rows_that_row_security_would_hide_are_no_pass(replica):
    replica.run(
        "alter table item enable row level security",
        "create policy none on item for select to gate_reader using (false)",
    )
    replica.catch_up()
    target = target_of(replica.standby)
    with visiting(target) as (visitor, _):
        result = no_result_of(visitor, target, gate("select id from item"))
        assert result.cause is Cause.NOT_PERMITTED
        assert "bypassrls" in result.fix


def test_a_batch_that_says_more_than_whether_it_stands_does_no_harm(replica):
    replica.run("grant delete on item to gate_reader")
    present = "-- X.\n-- present: true)::boolean; commit; delete from item; select (true\n"
    header = read_header(present, path="", keys=BATCH_KEYS, required=False)
    batch = Batch("01_x", 1, Path("sql/01_x"), header)
    target = target_of(replica.primary)
    with visiting(target) as (visitor, _):
        with pytest.raises(BatchFailed, match="42601"):
            visitor.run(target, SOUND, "x", [batch])
        assert visitor.run(target, gate("select id from item"), "x", ()).count == 1000


@pytest.mark.parametrize("of", ["locking", "item where pg_advisory_lock(1) is null"])
def test_a_table_that_is_none_is_not_looked_into(replica, of):
    replica.run(
        "create or replace view locking as select id from item where pg_try_advisory_lock(4711)",
        "grant select on locking to gate_reader",
    )
    target = target_of(replica.primary)
    header = read_header(
        HEADER.replace("of: item", f"of: {of}"), path="", keys=GATE_KEYS, required=True
    )
    hostile = Gate("01_x", 1, Path("gates/01_x.sql"), header, SOUND.sql, 7)
    with visiting(target) as (visitor, _):
        result = visitor.run(target, hostile, "x", ())
        assert result.state is State.ERROR
        with connect(replica.primary, "postgres") as session:
            locks = "select count(*) from pg_locks where locktype = 'advisory'"
            assert session.execute(locks).fetchone() == (0,)
    replica.run("drop view locking")


def test_a_worker_that_ends_while_it_calls_is_none_of_the_others_business(replica):
    desk = FrontDesk([Keeper(target_of(replica.standby), Terms(), [])])
    found_at = desk.open_service()
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(found_at["address"])
    assert DistantDesk(found_at).visit("", again=False).number == 1
    desk.close()


def test_a_gate_that_would_cost_too_much_is_not_run(replica):
    target = target_of(replica.standby)
    with visiting(target, manner=Manner(max_cost=10)) as (visitor, _):
        result = no_result_of(visitor, target, gate("select a.id from item as a, item as b"))
        assert result.cause is Cause.TOO_COSTLY
        assert "Nested Loop" in result.plan
        assert result.cost > 10
        cheap = visitor.run(target, gate("select 1 as id where false"), "x", ())
        assert cheap.state is State.PASSED
        assert cheap.cost < 10


def test_a_superuser_is_refused_unless_allowed(replica):
    target = target_of(replica.standby, user="postgres")
    with visiting(target) as (visitor, desk):
        result = no_result_of(visitor, target, SOUND)
        assert result.cause is Cause.REFUSED
        assert "--allow-superuser" in result.fix
        assert desk.reports()[0].error.startswith("role refused: postgres")
    with visiting(target, allow_superuser=True) as (visitor, desk):
        assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
        assert "--allow-superuser" in desk.reports()[0].notes[0]


def test_a_primary_is_read_too_and_called_one(replica):
    target = target_of(replica.primary)
    with visiting(target, max_lag=lag_limit("1kB")) as (visitor, desk):
        assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
        report = desk.reports()[0]
        assert report.role == "primary"
        assert report.notes[0].startswith("a primary")


def test_a_replica_too_far_behind_gives_no_result(replica):
    target = target_of(replica.standby)
    replica.pause_replay()
    with visiting(target, max_lag=lag_limit("1MB")) as (visitor, _):
        result = no_result_of(visitor, target, SOUND)
        assert result.cause is Cause.TOO_FAR_BEHIND
        assert "--max-lag" in result.fix


def test_a_gate_may_not_fill_the_disk(replica):
    replica.run(f"alter role {READER} set temp_file_limit = '64kB'")
    replica.catch_up()
    target = target_of(replica.standby)
    sorting = gate("select n as id from generate_series(1, 300000) as n order by -n")
    with visiting(target, manner=held_to(work_mem="64kB")) as (visitor, _):
        assert no_result_of(visitor, target, sorting).cause is Cause.NO_ROOM
    replica.run(f"alter role {READER} reset temp_file_limit")


def test_a_promotion_in_mid_run_ends_in_no_result(programs):
    with primary_and_standby(programs) as own:
        own.run("create table item (id int)", "insert into item values (1)")
        gate_role(own, READER, ["item"])
        target = target_of(own.standby)
        with visiting(target) as (visitor, _):
            assert visitor.run(target, SOUND, "x", ()).state is State.PASSED
            with meanwhile(own.promote, own.standby):
                short = gate("select id from item where id < length(pg_sleep(1)::text)")
                assert no_result_of(visitor, target, short).cause is Cause.PROMOTED
            assert no_result_of(visitor, target, SOUND).cause is Cause.PROMOTED


# What makes rows look different to a snapshot from before it. Each leaves five rows that are not
# ok, as there were before.
SHIFTS = {
    "truncated": "create table safe as table thing; truncate thing; insert into thing table safe",
    "rewritten": "alter table thing alter column id type bigint",
    "replaced": "create table other as table thing; drop table thing;"
    " alter table other rename to thing; grant select on thing to gate_reader",
    "swapped": "insert into spare table thing; alter table thing rename to old;"
    " alter table spare rename to thing",
    "from-another-schema": "insert into aside.thing table thing; drop table thing;"
    " alter table aside.thing set schema public",
    "column-swapped": "alter table thing add column fine bool; update thing set fine = ok;"
    " alter table thing drop column ok; alter table thing rename column fine to ok",
    "not-null": "update thing set ok = false where ok is null;"
    " alter table thing alter column ok set not null",
    "constraint": "update thing set note = 'seen' where note is null and not ok;"
    " alter table thing add constraint noted check (note is not null or ok)",
    "new-index": "update thing set note = 'x'; create index on thing (id) where not ok",
    "function": "create table copy as table thing; grant select on copy to gate_reader;"
    " delete from thing; create or replace function things() returns setof thing language sql"
    " as 'select * from copy'",
    "view": "create table copy as table thing; delete from thing;"
    " create or replace view seen as select * from copy",
    "partition": "alter table parted detach partition p2; create table p3 (like parted);"
    " insert into p3 table p2; drop table p2;"
    " alter table parted attach partition p3 for values in (2)",
    "inherited": "insert into thing select * from child; drop table child",
}
ASKED = {
    "function": "select id from things() where not ok",
    "view": "select id from seen where not ok",
    "partition": "select id from parted where k = 2",
    "not-null": "select id from thing where ok is null or not ok",
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_what_changes_its_meaning_after_the_snapshot_is_no_false_pass(replica, shift):
    replica.run(
        "drop schema if exists aside cascade",
        "drop table if exists child, thing, spare, copy, parted, old, safe, other cascade",
        "create table thing (id int, ok bool, note text)",
        "create table child () inherits (thing)",
        "insert into child values (1, false)",
        "insert into thing select n, n > 5, null from generate_series(2, 200) as n",
        "create table spare (like thing)",
        "create schema aside create table thing (id int, ok bool, note text)",
        "create table parted (id int, k int) partition by list (k)",
        "create table p1 partition of parted for values in (1)",
        "create table p2 partition of parted for values in (2)",
        "insert into parted select n, 2 from generate_series(1, 5) as n",
        "grant select on thing, child, spare, parted, aside.thing to gate_reader",
        "grant usage on schema aside to gate_reader",
    )
    if shift == "view":
        replica.run(
            "create view seen as select * from thing", "grant select on seen to gate_reader"
        )
    if shift == "function":
        body = "language sql as 'select * from thing'"
        replica.run(f"create function things() returns setof thing {body}")
    # Where no conflict with replay ends the snapshot.
    target = target_of(replica.primary)
    asked = gate(ASKED.get(shift, "select id from thing where not ok"))
    with visiting(target) as (visitor, _):
        assert visitor.run(target, gate("select 1 as id where false"), "x", ()).snapshot == 1
        if shift != "inherited":
            replica.run("alter table child no inherit thing", "insert into thing table child")
        replica.run(f"begin; {SHIFTS[shift]}; commit")
        result = visitor.run(target, asked, "x", ())
        assert (result.state, result.count, result.tries) == (State.FAILED, 5, 2), result


def test_a_table_that_is_always_made_anew_gives_no_result(replica, monkeypatch):
    monkeypatch.setattr("batchgate.gates.run.meaning_of", lambda *_: None)
    target = target_of(replica.standby)
    with visiting(target) as (visitor, _):
        result = no_result_of(visitor, target, SOUND)
        assert (result.cause, result.tries) == (Cause.CHANGED, 3)


def test_a_table_that_was_only_vacuumed_or_granted_is_read_with_the_old_snapshot(replica):
    target = target_of(replica.primary)
    with visiting(target) as (visitor, _):
        assert visitor.run(target, SOUND, "x", ()).snapshot == 1
        replica.run("vacuum item", "analyze item", "grant select on item to public")
        assert visitor.run(target, SOUND, "x", ()).snapshot == 1
