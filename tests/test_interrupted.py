"""A run that is ended leaves nothing half done, and says what it leaves."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from threading import Event, Thread

import psycopg
import pytest
from operated import COMMAND, rest_said
from waits import until
from wires import cuttable

from batchgate.cli.live import Live
from batchgate.cli.signals import ended_by_signals
from batchgate.folders import PrivateFolder
from batchgate.operate.interruption import Interruption

NOTHING = "Nothing was changed: what was done is undone."
LOST = "Nothing was changed: the server rolls back what was done."
KINDS = [
    pytest.param(kind, id=kind.name) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
]


@pytest.fixture
def filled_half(operated):
    """A database with orders, where the fill is held up at its gateway."""
    operated.done("apply", "1", "--yes")
    with operated.held_up():
        yield operated


def test_ctrl_c_rolls_one_transaction_back_and_says_so(filled_half):
    with filled_half.on_a_terminal("apply", "2", "--yes", "--lock-timeout", "0") as tty:
        filled_half.until_waiting()
        tty.type("\x03")
        assert tty.ended() == 130
        shown = "\n".join(tty.screen.text)
    assert "SIGINT: stopping" in shown
    assert "interrupted: batch 02_fill_currency, at statement 5 of 8" in shown
    assert NOTHING in shown
    assert "02_fill_currency does not stand now." in shown
    assert "Traceback" not in shown
    assert filled_half.ask("select count(*) from orders where currency is not null") == [0]
    assert filled_half.ask("select to_regclass('filled')::text") == [None]


def test_a_second_ctrl_c_makes_nothing_worse(filled_half):
    with filled_half.on_a_terminal("apply", "2", "--yes", "--lock-timeout", "0") as tty:
        filled_half.until_waiting()
        tty.type("\x03\x03")
        assert tty.ended() == 130
        assert NOTHING in "\n".join(tty.screen.text)
    filled_half.until_gone()
    assert filled_half.ask("select to_regclass('filled')::text") == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_each_signal_ends_a_run_in_order(filled_half, kind):
    with filled_half.started("apply", "2", "--yes", "--lock-timeout", "0") as process:
        filled_half.until_waiting()
        process.send_signal(kind)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert NOTHING in said
    filled_half.until_gone()


def test_a_rollback_that_is_interrupted_has_undone_nothing(operated):
    operated.done("apply", "--through", "2", "--yes")
    with (
        operated.held_up(),
        operated.started("rollback", "2", "--yes", "--lock-timeout", "0") as process,
    ):
        operated.until_waiting()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert NOTHING in said
    assert "02_fill_currency stands as before." in said
    assert operated.ask("select count(*) from orders where currency = 'EUR'") == [7]


def test_an_online_route_tells_what_is_committed_and_goes_on_from_there(filled_half):
    arguments = ("apply", "2", "--online", "--yes", "--lock-timeout", "0", "--json")
    with filled_half.started(*arguments) as process:
        filled_half.until_waiting()
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "All up to statement 1 of 3 is committed; what statement 2 committed itself" in said
    assert "The same command goes on from there." in said
    (part,) = json.loads(out)["batches"]
    assert part["outcome"] == "interrupted"
    assert (part["statements_sent"], part["statements_committed"]) == (2, 1)
    assert filled_half.ask("select count(*) from filled") == [3]


def test_an_online_route_that_was_killed_is_taken_up_again(filled_half):
    with filled_half.started("apply", "2", "--online", "--yes", "--lock-timeout", "0") as process:
        filled_half.until_waiting()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    # The server notices by itself that its client is gone.
    filled_half.until_gone()
    assert filled_half.ask("select count(*) from filled") == [3]
    assert filled_half.run("apply", "2", "--online", "--yes").exit_code == 0
    assert filled_half.ask("select count(*) from filled") == [7]
    assert filled_half.ask("select count(*) from orders where currency = 'EUR'") == [7]


def test_a_client_that_is_killed_leaves_a_transaction_to_be_rolled_back(filled_half):
    with filled_half.started("apply", "2", "--yes", "--lock-timeout", "0") as process:
        filled_half.until_waiting()
        process.send_signal(signal.SIGKILL)
    filled_half.until_gone()
    assert filled_half.ask("select to_regclass('filled')::text") == [None]
    assert filled_half.ask("select count(*) from orders where currency is not null") == [0]


def test_a_session_that_somebody_ends_is_told_as_a_lost_connection(filled_half):
    with filled_half.started("apply", "2", "--yes", "--lock-timeout", "0") as process:
        pid = filled_half.until_waiting()
        filled_half.ask(f"select pg_terminate_backend({pid})")
        _, said = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "expected the connection to last, it was lost at statement 5 of 8" in said
    assert "terminating connection due to administrator command [57P01]" in said
    assert LOST in said
    assert "Traceback" not in said


def test_a_statement_that_begins_after_the_signal_is_cancelled_too(operated):
    with operated.session() as session, Interruption() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.pause(60)
        # What was told before the server had the statement is lost, and told again.
        with stop.aimed_at(session), pytest.raises(psycopg.errors.QueryCanceled):
            session.execute("select pg_sleep(60)")


def test_a_server_that_does_not_answer_is_given_up_at_the_third_signal(filled_half):
    with cuttable(filled_half.server) as wire:
        dsn = wire.conninfo(filled_half.name)
        arguments = ("apply", "2", "--yes", "--lock-timeout", "0", "--dsn", dsn)
        with filled_half.started(*arguments) as process:
            filled_half.until_waiting()
            wire.freeze()
            said = ""
            for told in ("stopping; what is under way", "stopping still", "is given up"):
                process.send_signal(signal.SIGINT)
                while told not in said:
                    said = process.stderr.readline()
            said = rest_said(process)
        wire.thaw()
    assert process.returncode == 130
    assert LOST in said
    filled_half.until_gone()
    assert filled_half.ask("select to_regclass('filled')::text") == [None]


def test_an_online_route_whose_session_is_ended_tells_what_is_committed(filled_half):
    arguments = ("apply", "2", "--online", "--yes", "--lock-timeout", "0")
    with filled_half.started(*arguments) as process:
        pid = filled_half.until_waiting()
        filled_half.ask(f"select pg_terminate_backend({pid})")
        _, said = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "All up to statement 1 of 3 is committed; what statement 2 committed itself" in said
    assert filled_half.ask("select count(*) from filled") == [3]


@pytest.mark.parametrize("kind", KINDS)
def test_each_signal_ends_what_is_asked_or_looked_at_as_ctrl_c_does(kind):
    # Who started this run may have let it ignore them.
    usual = signal.default_int_handler if kind is signal.SIGINT else signal.SIG_DFL
    before = signal.signal(kind, usual)
    try:
        with pytest.raises(KeyboardInterrupt), ended_by_signals():
            signal.raise_signal(kind)
        assert signal.getsignal(kind) is usual
    finally:
        signal.signal(kind, before)


def test_a_signal_that_is_ignored_as_by_nohup_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_gate_that_is_interrupted_before_anything_is_written(operated):
    operated.done("apply", "--through", "2", "--yes")
    slow = "-- Slow.\n-- level: required\n-- of: orders\n-- show: id\n-- fix: Wait.\n\n"
    slow += "select id from orders where id > length(pg_sleep(60)::text)"
    operated.write({"gates/02_slow.sql": slow, "gates/02_slow.red.sql": "select 1;"})
    with operated.started("apply", "4", "--yes") as process:
        with operated.session() as session:
            query = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
            until(lambda: session.execute(query).fetchone() == (1,), "the gate")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: nothing was changed" in said
    operated.until_gone()
    assert operated.ask("select to_regclass('orders_currency')::text") == [None]


def test_the_work_goes_on_where_nobody_reads_what_is_said(filled_half):
    arguments = ("apply", "2", "--yes", "--lock-timeout", "0")
    with filled_half.started(*arguments) as process:
        filled_half.until_waiting()
        process.stdout.close()
        process.stderr.close()
        filled_half.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'somebody' and pid <> pg_backend_pid()"
            " and datname = current_database()"
        )
        assert process.wait(timeout=60) == 0
    assert filled_half.ask("select count(*) from filled") == [7]


@pytest.mark.parametrize("batch", ["1", "2"], ids=["done", "failed"])
def test_a_signal_once_all_is_over_does_not_take_the_place_of_the_truth(
    operated, monkeypatch, batch
):
    before = Live.__exit__

    def interrupted(self, *given):
        before(self, *given)
        raise KeyboardInterrupt

    failing = "-- It fails.\n-- present: false\n\nbegin;\nselect 1 / 0;\ncommit;\n"
    operated.write({"sql/02_fill_currency/migration.sql": failing})
    monkeypatch.setattr(Live, "__exit__", interrupted)
    result = operated.run("apply", batch, "--yes")
    if batch == "1":
        assert result.exit_code == 0
        assert "01_add_orders applied" in result.stdout
    else:
        assert result.exit_code == 1
        assert "expected migration to succeed, statement 2 of 3 failed" in result.stderr
    assert "interrupted" not in result.stderr


# Held up at its commit: a deferred check asks for the gateway.
DEFERRED = """\
-- A table stands.
-- present: to_regclass('late') is not null

begin;
create table late (id int);
create function wait() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(4711);
    return null;
end $$;
create constraint trigger late_wait after insert on late
    deferrable initially deferred
    for each row execute function wait();
insert into late values (1);
commit;
"""
LATE = {"sql/05_late/migration.sql": DEFERRED, "sql/05_late/rollback.sql": "drop table late;"}


def test_a_connection_lost_within_a_commit_is_asked_after(operated):
    operated.write(LATE)
    with (
        operated.held_up(),
        operated.started("apply", "5", "--yes", "--json", "--lock-timeout", "0") as process,
    ):
        pid = operated.until_waiting()
        operated.ask(f"select pg_terminate_backend({pid})")
        out, said = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "lost at statement 6 of 6" in said
    assert LOST in said
    (part,) = json.loads(out)["batches"]
    assert part["commit"] == "rolled_back"
    assert part["stands"] is False


def test_a_commit_that_is_interrupted_is_undone(operated):
    operated.write(LATE)
    with (
        operated.held_up(),
        operated.started("apply", "5", "--yes", "--lock-timeout", "0") as process,
    ):
        operated.until_waiting()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "at statement 6 of 6" in said
    assert NOTHING in said
    assert operated.ask("select to_regclass('late')::text") == [None]


def test_a_commit_that_went_through_is_told_though_its_answer_was_lost(operated):
    operated.write(LATE)
    with cuttable(operated.server) as wire, operated.held_up() as holder:
        dsn = wire.conninfo(operated.name)
        arguments = ("apply", "5", "--yes", "--json", "--lock-timeout", "0", "--dsn", dsn)
        with operated.started(*arguments) as process:
            operated.until_waiting()
            # The commit's answer does not come through; the commit does.
            wire.freeze_at(b"COMMIT")
            holder.execute("select pg_advisory_unlock_all()")
            with operated.session() as session:
                until(
                    lambda: (
                        session.execute("select to_regclass('late') is not null").fetchone()
                        == (True,)
                    ),
                    "the commit",
                )
            until(lambda: wire.frozen, "an answer that is held back")
            wire.cut()
            wire.thaw()
            out, said = process.communicate(timeout=60)
    assert process.returncode == 5, said
    (part,) = json.loads(out)["batches"]
    assert part["commit"] == "committed"
    assert part["stands"] is True
    assert "All up to statement 6 of 6 is committed." in said
    assert "05_late stands now." in said


def test_a_signal_while_python_tidies_up_changes_neither_words_nor_exit_code(operated):
    """Some of pytest's plugins look through all processes then, which takes a while."""
    late = "import atexit, signal\natexit.register(signal.raise_signal, signal.SIGINT)\n"
    operated.write({"conftest.py": late})
    result = subprocess.run(
        (*COMMAND, "status", "--no-drift"), cwd=operated.folder, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "KeyboardInterrupt" not in result.stderr


def test_a_folder_into_which_somebody_writes_still_is_removed(tmp_path):
    """As into that of a server whose start was interrupted."""
    path = tmp_path / "own"
    path.mkdir()
    begun = Event()

    def write() -> None:
        with suppress(OSError):
            for number in range(3000):
                (path / str(number)).mkdir()
                begun.set()

    writer = Thread(target=write)
    writer.start()
    begun.wait()
    PrivateFolder(path, os.open(tmp_path, os.O_RDONLY)).remove()
    writer.join()
    assert not path.exists()
