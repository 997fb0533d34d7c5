"""Who writes enters a database that takes writes, alone, and asks the server how a commit ended."""

import subprocess
import sys

import pytest
from wires import cuttable, pgbouncer

from batchgate.database import create_database, drop_database
from batchgate.errors import Refused, ServerUnavailable
from batchgate.operate import fate, place
from batchgate.operate.attempt import Attempt
from batchgate.operate.carrying import left_by
from batchgate.operate.entry import entered
from batchgate.operate.fate import Fate, fate_of
from batchgate.operate.interruption import Interruption
from batchgate.operate.task import Route, Task, Way
from batchgate.script import Script
from batchgate.suite import Batch
from batchgate.targets.address import Dsn, Target


def target_of(dsn: str) -> Target:
    return Target("", Dsn(dsn), "--dsn")


def test_a_standby_takes_no_writes(pair):
    with (
        pytest.raises(Refused, match="expected a server that takes writes, found a standby"),
        entered(target_of(pair.standby.conninfo("postgres")), "apply"),
    ):
        pass


def test_a_pooler_before_the_server_is_refused(batchgate_server):
    with (
        pgbouncer(batchgate_server) as dsn,
        pytest.raises(Refused, match="found a pooler before it"),
        entered(target_of(dsn), "apply"),
    ):
        pass


def test_the_lock_is_a_databases_own_and_ends_with_the_session(operated, batchgate_server):
    ours = target_of(operated.dsn)
    other = f"{operated.name}_beside"
    create_database(batchgate_server, other)
    with entered(ours, "apply") as holder:
        with entered(target_of(batchgate_server.conninfo(other)), "apply"):
            pass
        drop_database(batchgate_server, other)
        with (
            pytest.raises(Refused, match="expected to be the only run here") as refused,
            entered(ours, "rollback"),
        ):
            pass
        pid = holder.connection.info.backend_pid
        assert f"select pg_terminate_backend({pid});" in str(refused.value)
        assert "row: pid " in str(refused.value)
        assert ", batchgate apply, since " in str(refused.value)
    with entered(ours, "validate", beside_others=True):
        with entered(ours, "validate", beside_others=True):
            pass
        with pytest.raises(Refused, match="only run"), entered(ours, "apply"):
            pass


def test_the_lock_survives_what_a_file_may_do_to_its_session(operated):
    ours = target_of(operated.dsn)
    with entered(ours, "apply") as entrance:
        entrance.connection.execute("create temp table t (); set search_path = x; listen y")
        entrance.clean()
        assert entrance.connection.execute("select to_regclass('t')::text").fetchone() == (None,)
        assert entrance.connection.execute("show search_path").fetchone() == ('"$user", public',)
        with pytest.raises(Refused, match="only run"), entered(ours, "apply"):
            pass


def test_a_file_that_gives_the_lock_back_does_not_let_others_in_for_the_next(operated):
    ours = target_of(operated.dsn)
    with entered(ours, "apply") as entrance:
        entrance.connection.execute("discard all")
        entrance.clean()
        with pytest.raises(Refused, match="only run"), entered(ours, "apply"):
            pass
        entrance.connection.execute("discard all")
        with entered(ours, "apply"), pytest.raises(Refused, match="only run"):
            entrance.clean()


def test_a_connection_that_is_lost_between_two_files_is_told(operated):
    def cut_off() -> None:
        with entered(target_of(operated.dsn), "apply") as entrance:
            operated.ask(f"select pg_terminate_backend({entrance.connection.info.backend_pid})")
            entrance.clean()

    with pytest.raises(ServerUnavailable, match="expected the connection to last, it was lost"):
        cut_off()


def test_how_a_transaction_ended_is_asked_of_the_server(operated):
    with operated.session() as session, Interruption() as stop:
        ended = {}
        for end in ("commit", "rollback"):
            session.execute("begin")
            row = session.execute("select pg_current_xact_id()::text").fetchone()
            session.execute(end)
            ended[end] = fate_of(target_of(operated.dsn), row[0], stop)
    assert ended == {"commit": Fate.COMMITTED, "rollback": Fate.ROLLED_BACK}


def test_a_server_that_is_not_reached_again_leaves_the_end_unknown(operated, monkeypatch):
    monkeypatch.setattr(fate, "_PAUSES", (0.01, 0.01))
    with Interruption() as stop:
        with cuttable(operated.server) as wire:
            gone = target_of(wire.conninfo(operated.name))
        assert fate_of(gone, "4711", stop) is Fate.UNKNOWN
        # One that goes on is not known either, for as long.
        with operated.session() as session:
            session.execute("begin")
            row = session.execute("select pg_current_xact_id()::text").fetchone()
            assert fate_of(target_of(operated.dsn), row[0], stop) is Fate.UNKNOWN
    file = operated.folder / "sql/02_fill_currency/migration.sql"
    task = Task(Batch("02_fill_currency", 2, file.parent), file, Route.ORDINARY)
    attempt = Attempt(None, Script(file, operated.folder), None, dry=False)
    attempt.xid = "4711"
    said = left_by(task, attempt, Fate.UNKNOWN, dry=False)
    assert said.startswith("Whether its commit went through is not known")
    assert "select pg_xact_status('4711')" in said


def test_the_settings_of_a_way_are_what_the_files_read():
    assert Way(lock_timeout="1s").settings() == {
        "lock_timeout": "1s",
        "client_connection_check_interval": "1s",
    }
    given = Way(dry=True, verbose=True, chunk=500).settings()
    assert given["batchgate.dry_run"] == given["batchgate.verbose"] == "on"
    assert given["batchgate.chunk"] == "500"


def test_a_question_that_a_limit_cuts_short_is_refused_and_told(operated):
    def cut_short() -> None:
        with entered(target_of(operated.dsn), "apply") as entrance:
            entrance.connection.execute("set statement_timeout = '20ms'")
            entrance.connection.execute("select count(*) from generate_series(1, 100000000)")

    with pytest.raises(Refused, match="expected an answer to what the command asks") as refused:
        cut_short()
    assert "57014" in str(refused.value)
    assert "PGOPTIONS='-c statement_timeout=0'" in str(refused.value)


def test_a_session_that_the_server_ends_for_being_idle_is_a_lost_connection(operated):
    """Its error is none of psycopg's operational ones."""

    class Slow:
        def ran(self, step, seconds):
            if step.number == 3:
                operated.until_gone()

        def said(self, output):
            """Say nothing."""

    text = "set idle_in_transaction_session_timeout = '1ms';\nbegin;\nselect 1;\ncommit;\n"
    operated.write({"sql/01_add_orders/idle.sql": text})
    script = Script(operated.folder / "sql/01_add_orders/idle.sql", operated.folder)
    with entered(target_of(operated.dsn), "apply") as entrance, Interruption() as stop:
        attempt = Attempt(entrance.connection, script, Slow(), dry=False)
        attempt.go(stop)
        assert attempt.lost
        assert not attempt.wrote


def test_a_server_that_is_too_old_is_refused_with_its_version(operated, monkeypatch):
    monkeypatch.setattr(place, "OLDEST", 99)
    for arguments in (("status",), ("apply", "1", "--yes"), ("validate",)):
        result = operated.run(*arguments)
        assert result.exit_code == 3
        assert "expected PostgreSQL 99 or newer, found 1" in result.stderr


def test_what_is_no_session_of_a_server_is_told_as_that(operated):
    result = operated.run("apply", "1", "--yes", "--dsn", f"{operated.dsn} replication=database")
    assert result.exit_code == 3
    assert "fix: Name a database of a PostgreSQL server in --dsn" in result.stderr
    assert "statement_timeout" not in result.stderr


def test_a_database_whose_name_has_blanks_and_quotes_is_named_once(operated):
    name = f'{operated.name} it\'s "ünï"'
    create_database(operated.server, name)
    try:
        result = operated.run("apply", "1", "--yes", "--dsn", operated.server.conninfo(name))
    finally:
        drop_database(operated.server, name)
    assert result.exit_code == 0, result.output
    said = result.stderr.splitlines()[0]
    assert said.startswith(f"database {name} as postgres on host=")
    assert said.count(name) == 1


def test_a_role_that_may_not_is_told_what_to_do(operated_apart):
    with operated_apart.session() as session:
        session.execute("create role visitor login")
    given = ("apply", "1", "--yes", "--dsn", f"{operated_apart.dsn} user=visitor")
    result = operated_apart.run(*given)
    assert result.exit_code == 1
    assert "fix: Grant the role what is missing, or run it as one that may do it" in result.stderr


def test_what_pgoptions_make_of_a_run_is_looked_for_there(operated):
    given = f"{operated.dsn} options='-c default_transaction_read_only=on'"
    result = operated.run("apply", "1", "--yes", "--dsn", given)
    assert result.exit_code == 1
    assert "fix: Look at default_transaction_read_only in PGOPTIONS" in result.stderr


def test_what_the_driver_logs_is_not_shown():
    """As of a rollback on a connection that is lost; what matters of it is told in our words."""
    code = (
        "import logging\nfrom batchgate.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    logging.getLogger('psycopg').warning('error ignored')\n"
    )
    result = subprocess.run((sys.executable, "-c", code), capture_output=True, check=True)
    assert result.stdout.startswith(b"Usage: ")
    assert result.stderr == b""


def test_a_server_that_cannot_look_for_its_client_runs_a_file_all_the_same(operated, monkeypatch):
    before = Way.settings

    def refused(way):
        # As one on Windows refuses the value that others take.
        return {**before(way), "client_connection_check_interval": "-1"}

    monkeypatch.setattr(Way, "settings", refused)
    operated.done("apply", "1", "--yes")
