"""A file that does not get a lock gives way, is run again, and says who was in the way."""

import json
import signal

import pytest
from operated import rest_said

from batchgate.operate import carrying

READS = "begin isolation level repeatable read; select count(*) from orders"


@pytest.fixture
def soon(operated, monkeypatch):
    """A database with orders, and pauses that are over soon."""
    monkeypatch.setattr(carrying, "_FIRST_PAUSE", 0.01)
    operated.done("apply", "1", "--yes")
    return operated


def test_a_lock_that_is_not_got_is_told_with_who_holds_it(soon):
    with soon.held_up("begin; lock table orders") as holder:
        arguments = ("2", "--yes", "--lock-timeout", "900ms", "--retries", "1")
        result = soon.run("apply", *arguments)
        pid = holder.info.backend_pid
    assert result.exit_code == 1
    held = f"held by pid {pid}, somebody, idle in transaction, in a transaction for "
    assert f"no lock within 900ms at sql/02_fill_currency/migration.sql:8 ({held}" in result.stderr
    assert "rolled back, attempt 2 of 2 in 0.0 s" in result.stderr
    assert "⚠" not in result.output
    assert "cause: canceling statement due to lock timeout [55P03]" in result.stderr
    assert f"row: {held}" in result.stderr
    assert "Nothing was changed: what was done is undone." in result.stderr
    assert soon.ask("select to_regclass('filled')::text") == [None]


def test_a_file_gets_through_once_the_lock_is_free(soon):
    arguments = ("apply", "2", "--yes", "--lock-timeout", "100ms", "--retries", "1000", "--json")
    with soon.held_up(), soon.started(*arguments) as process:
        assert "no lock within 100ms" in process.stderr.readline()
        assert soon.ask("select pg_advisory_unlock_all()") == [""]
        soon.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'somebody' and pid <> pg_backend_pid()"
            " and datname = current_database()"
        )
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    (part,) = json.loads(out)["batches"]
    assert part["attempts"] > 1
    # Each attempt begins anew: what was filled before was rolled back.
    assert part["figures"] == {"Orders filled": 7}
    assert part["notices"] == ["filling", "Statistics:\n   Orders filled:   7"]


def test_no_retries_are_made_where_none_are_wished(soon):
    with soon.held_up():
        result = soon.run("apply", "2", "--yes", "--lock-timeout", "50ms", "--retries", "0")
    assert result.exit_code == 1
    assert "attempt" not in result.stderr


def test_a_pause_before_the_next_attempt_can_be_interrupted(operated):
    operated.done("apply", "1", "--yes")
    arguments = ("apply", "2", "--yes", "--lock-timeout", "10ms", "--retries", "1000")
    with operated.held_up(), operated.started(*arguments) as process:
        while "no lock within" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        said = rest_said(process)
    assert process.returncode == 130
    assert "Nothing was changed" in said


def test_an_online_route_is_run_again_after_what_it_committed(soon):
    with soon.held_up():
        arguments = ("--online", "--yes", "--lock-timeout", "50ms", "--retries", "1")
        result = soon.run("apply", "2", *arguments)
    # The gateway stops the third chunk only: the second attempt begins with the fourth.
    assert result.exit_code == 0
    assert "attempt 2 of 2" in result.stderr
    assert "at attempt 2" in result.stdout
    assert soon.ask("select count(*) from filled") == [7]


TWO_PARTS = """\
-- Two tables stand.
-- present: to_regclass('b') is not null
-- transaction: none

create table a (id int);
select pg_advisory_lock(4711);
create table b (id int);
"""


def test_a_file_that_committed_something_is_not_run_again(soon):
    soon.write(
        {"sql/05_two/migration.sql": TWO_PARTS, "sql/05_two/rollback.sql": "drop table a, b;"}
    )
    with soon.held_up():
        result = soon.run("apply", "5", "--yes", "--lock-timeout", "50ms")
    assert result.exit_code == 1
    assert "attempt" not in result.stderr
    assert "All up to statement 1 of 3 is committed, the rest rolled back." in result.stderr
    assert soon.ask("select to_regclass('a') is not null") == [True]


def test_what_is_built_concurrently_is_not_cut_short(soon):
    soon.done("apply", "--through", "2", "--yes")
    arguments = ("apply", "4", "--online", "--yes", "--lock-timeout", "10ms", "--retries", "0")
    with soon.held_up(READS) as reader, soon.started(*arguments) as process:
        # It waits for the reader's transaction, longer than for any lock.
        soon.until_waiting()
        assert process.poll() is None
        reader.execute("commit")
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_deadlock_is_met_again(soon):
    soon.write({"sql/05_meet/migration.sql": MEETS, "sql/05_meet/rollback.sql": "drop table met;"})
    arguments = ("apply", "5", "--yes", "--accept-locks", "--lock-timeout", "0", "--json")
    with soon.held_up("begin; lock table orders") as other:
        # The run is to be the one that looks for a deadlock, and so its victim.
        other.execute("set local deadlock_timeout = '60s'")
        with soon.started(*arguments) as process:
            soon.until_waiting()
            other.execute("select pg_advisory_xact_lock(4712)")
            other.execute("rollback")
            out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    (part,) = json.loads(out)["batches"]
    assert part["attempts"] == 2
    assert "a deadlock at sql/05_meet/migration.sql:6: rolled back, attempt 2 of 6" in said


MEETS = """\
-- A table stands.
-- present: to_regclass('met') is not null

begin; set local deadlock_timeout = '2s';
select pg_advisory_xact_lock(4712);
lock table orders;
create table met (id int);
commit;
"""


def test_a_comment_does_not_let_a_statement_wait_for_ever(soon):
    soon.write(
        {
            "sql/05_two/migration.sql": TWO_PARTS.replace(
                "select pg_advisory_lock(4711)", "select /* concurrently */ pg_advisory_lock(4711)"
            ),
            "sql/05_two/rollback.sql": "drop table a, b;",
        }
    )
    with soon.held_up():
        result = soon.run("apply", "5", "--yes", "--lock-timeout", "50ms")
    assert "[55P03]" in result.stderr
