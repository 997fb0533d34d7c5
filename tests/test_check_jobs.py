"""`batchgate check --jobs`: several gates at a time come to what one after the other come to."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event, Thread, enumerate

import pytest
from click.testing import CliRunner
from replicas import gate_role
from sound import FIRST, SOUND
from ttys import on_a_terminal
from waits import until

from batchgate.activity import Item, Running, Stage, going_on
from batchgate.cli import main
from batchgate.cli.project import Project, read_project
from batchgate.database import connect
from batchgate.errors import BatchFailed
from batchgate.operate.checking import Inspection
from batchgate.progress.sights import look_at_all

COMMAND = (sys.executable, "-c", "from batchgate.cli import main; main(prog_name='batchgate')")
READER = "gate_reader"
SLOW = "select id from orders where id < length(pg_sleep(300)::text)"
# Nothing but being cancelled ends a gate of these before a test loses its patience.
PATIENT = (
    *("--statement-timeout=10min", "--lock-timeout=10min"),
    "--client-connection-check-interval=0",
)
HEADER = "-- True of {name}.\n-- level: {level}\n-- of: {of}\n{more}-- show: id\n-- fix: Do it.\n\n"


def gate(
    name: str, sql: str, level: str = "required", more: str = "", of: str = "orders"
) -> dict[str, str]:
    text = HEADER.format(name=name, level=level, more=more, of=of) + sql
    return {f"gates/{name}.sql": text, f"gates/{name}.red.sql": "select 1;"}


def seen_late(number: int) -> dict[str, str]:
    return gate(f"{number:02}_none_is_late", "select id from orders where id = 99")


def barred(number: int) -> dict[str, str]:
    """Make a gate that looks for the late row once whoever holds the bar lets it."""
    sql = "select o.id from orders as o where o.id = 99 or o.id in (select b.id from bar as b)"
    return gate(f"{number:02}_is_barred", sql)


@pytest.fixture
def replica(pair):
    """A pair where the first batch stands, with two orders, and a role that reads them."""
    pair.run("drop schema public cascade", "create schema public")
    pair.run("grant usage on schema public to public", FIRST)
    for table in ("empty", "secret", "bar", "once"):
        pair.run(f"create table {table} (id int)")
    pair.run("insert into orders values (1, 'EUR', 'ann@example.com'), (2, 'EUR', 'b@example.com')")
    gate_role(pair, READER, ["orders", "empty", "bar", "once"])
    return pair


@pytest.fixture
def written(pytester, monkeypatch):
    """Write a sound project with the given changes; the project is the current folder."""
    monkeypatch.setenv("COLUMNS", "120")

    def write(changes: dict[str, str]) -> Path:
        for path, text in {**SOUND, **changes}.items():
            target = pytester.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return pytester.path

    return write


def dsn_of(server) -> str:
    return f"host={server.host} port={server.port} dbname=postgres user={READER}"


def check(*arguments: str):
    return CliRunner().invoke(main, ["check", *arguments], catch_exceptions=False)


def sessions(server, of: str = "") -> list[tuple[str, str | None]]:
    """Return what our sessions are called there, and what each waits for."""
    with connect(server, "postgres") as session:
        query = (
            "select application_name, wait_event_type from pg_stat_activity"
            " where usename = %s and starts_with(application_name, %s) order by 1"
        )
        return session.execute(query, [READER, f"batchgate{of}"]).fetchall()


def inspection_of(project: Project, jobs: int) -> Inspection:
    return Inspection(
        project.settings,
        project.suite,
        project.targets,
        project.terms,
        project.suite.gates,
        jobs=jobs,
    )


@contextmanager
def inspecting(server, jobs: int, *arguments: str, barred_by=None):
    """Run all gates in a thread meanwhile; on one server, who reads the bar waits for as long."""
    inspection = inspection_of(read_project([f"--dsn={dsn_of(server)}", *arguments]), jobs)
    thread = Thread(target=inspection.make)
    try:
        with bar(barred_by) if barred_by else nullcontext():
            thread.start()
            yield inspection
    finally:
        thread.join()


@contextmanager
def bar(server):
    """Let whoever reads the bar wait."""
    with connect(server, "postgres") as session, session.transaction():
        session.execute("lock table bar in access exclusive mode")
        yield


def test_all_jobs_see_the_one_snapshot_and_no_more_gates_run_at_a_time_than_were_asked_for(
    replica, written
):
    written({**barred(2), **barred(3), **barred(4), **seen_late(5), **seen_late(6)})
    primary = replica.primary
    with inspecting(primary, 2, *PATIENT, barred_by=primary) as inspection:
        waiting = [("batchgate/02_is_barred", "Lock"), ("batchgate/03_is_barred", "Lock")]
        until(lambda: sessions(primary, "/0") == waiting, "two gates that wait")
        assert len(sessions(primary)) == 3, "the snapshot's session, and one a job"
        assert inspection.at == ("gate 02_is_barred", "gate 03_is_barred")
        replica.run("insert into orders values (99, 'EUR', 'late@example.com')")
    run = inspection.run()
    assert [(each.name[3:], each.state, each.count) for each in run.gates] == [
        ("orders_have_currency", "passed", 0),
        *[("is_barred", "passed", 0)] * 3,
        *[("none_is_late", "passed", 0)] * 2,
    ]
    assert {each.snapshot for each in run.gates} == {1}
    assert len(run.targets[0].snapshots) == 1
    # A run that begins now sees the row.
    again = json.loads(check("6", "--dsn", dsn_of(replica.primary), "--json").stdout)
    assert [each["count"] for each in again["gates"]] == [1]


def test_results_stand_in_the_suites_order_whichever_gate_ended_first(replica, written):
    written({**barred(0), **seen_late(3), **seen_late(4)})
    primary = replica.primary
    with inspecting(primary, 2, *PATIENT, barred_by=primary) as inspection:
        until(lambda: inspection.done == 3, "all gates but the first to end")
        assert inspection.at == ("gate 00_is_barred",)
    run = inspection.run()
    assert run.finished
    assert [each.number for each in run.gates] == [0, 1, 3, 4]


# A gate of each state, and of several ways to give no result.
OF_EACH_STATE = {
    **gate("02_fails", "select id, email from orders order by id"),
    **gate("03_warns", "select id, email from orders order by id", "informational"),
    **gate("04_idles", "select id from empty", of="empty"),
    **gate("05_waits", "select id from orders", more="-- after: 02_index_orders\n"),
    **gate("06_may_not", "select id from secret", of="secret"),
    **gate("07_errs", "select id from orders where 1 / (id - id) = 1"),
    **gate("08_is_slow", SLOW, "informational"),
    **gate("09_is_slow", SLOW),
    **gate("10_reaches", "select id from orders where pg_notify('x', 'y') is null"),
    **gate("11_figures", "select id, 'x' as finding from orders", more="-- rows: figures\n"),
}


@pytest.mark.parametrize("mode", ["shared", "per-gate"])
def test_several_jobs_find_what_one_finds_on_several_targets(replica, written, mode):
    written(OF_EACH_STATE)
    replica.catch_up()
    options = (
        f"--dsn=one={dsn_of(replica.primary)}",
        f"--dsn=two={dsn_of(replica.standby)}",
        "--statement-timeout=200ms",
        f"--snapshot={mode}",
        "--json",
    )
    alone, together = (check(*options, "--jobs", jobs) for jobs in ("1", "4"))
    told = [json.loads(each.stdout) for each in (alone, together)]
    for each in told:
        for one in each["gates"]:
            del one["seconds"]
        for one in each["targets"]:
            one["snapshots"] = len(one["snapshots"])
            for name in [name for name in one if name.startswith("lag")]:
                del one[name]
    assert told[0] == told[1]
    assert len(told[1]["gates"]) == 22
    assert {each["state"] for each in told[1]["gates"]} >= {"passed", "failed", "error"}
    assert alone.exit_code == together.exit_code == 1


def test_what_is_wrong_with_the_suite_is_said_as_by_one_job(replica, written):
    changes = {}
    for number, batch in ((1, "01_add_orders"), (2, "02_index_orders")):
        path = f"sql/{batch}/migration.sql"
        changes[path] = re.sub("(?m)^-- present: .*", "-- present: null", SOUND[path])
        after = f"-- after: {batch}\n"
        changes |= gate(f"{number + 1:02}_over_it", "select id from orders", more=after)
    written(changes | seen_late(4) | seen_late(5))
    one, two = (check("--dsn", dsn_of(replica.primary), "-j", jobs) for jobs in "12")
    assert "batch 01_add_orders: expected `present` to be true or false, found null" in one.stderr
    assert (one.exit_code, one.stderr) == (two.exit_code, two.stderr)
    project = read_project([f"--dsn={dsn_of(replica.primary)}"])
    inspection = inspection_of(project, 1)
    with pytest.raises(BatchFailed):
        inspection.make()
    assert inspection.done == 0, "no gate is begun once one has shown that the suite is wrong"


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "told-to-end"])
def test_an_interruption_cancels_every_gate_that_runs_and_says_which(replica, written, number):
    folder = written({**gate("02_slow", SLOW), **gate("03_slow", SLOW), **seen_late(4)})
    run = subprocess.Popen(
        (*COMMAND, "check", "-j", "2", "--json", *PATIENT, "--dsn", dsn_of(replica.standby)),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    waiting = [("batchgate/02_slow", "Timeout"), ("batchgate/03_slow", "Timeout")]
    try:
        until(lambda: sessions(replica.standby, "/0") == waiting, "two gates at work")
        run.send_signal(number)
        out, err = run.communicate(timeout=60)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == 130
    said = "interrupted: gate 02_slow and gate 03_slow were cancelled on the server; 1 of 4 gates"
    assert f"{said} had ended" in " ".join(err.split())
    assert "Traceback" not in err
    told = json.loads(out)
    assert [each["name"] for each in told["gates"]] == ["01_orders_have_currency"]
    assert (told["exit_code"], told["finished"]) == (130, False)
    # Nothing else would end them within the patience of this: see PATIENT.
    until(lambda: not sessions(replica.standby), "all sessions to end")


def test_a_gate_that_replay_cancels_is_tried_again_by_each_job(replica, written):
    # The first try sleeps over the table; one that sees a row in the other does not.
    sql = (
        "select id from orders where id < (select case when exists (select from once) then 0"
        " else length(pg_sleep(300)::text) end)"
    )
    written({**gate("02_waits", sql), **gate("03_waits", sql)})
    replica.catch_up()
    with inspecting(replica.standby, 2, *PATIENT) as inspection:
        waiting = [("batchgate/02_waits", "Timeout"), ("batchgate/03_waits", "Timeout")]
        until(lambda: sessions(replica.standby, "/0") == waiting, "two gates at work")
        replica.run("insert into once values (1)")
        replica.provoke_snapshot_conflict("orders")
    first, *others = inspection.run().gates
    assert (first.state, first.tries) == ("passed", 1)
    assert [each.state for each in others] == ["passed"] * 2, others
    assert all(each.tries > 1 and each.snapshot > 1 for each in others)


def test_the_live_line_counts_the_gates_of_all_jobs(replica, written):
    folder = written({**gate("02_slow", SLOW), **gate("03_slow", SLOW)})
    command = (*COMMAND, "check", "--jobs=2", "--dsn", dsn_of(replica.primary))
    with on_a_terminal(command, folder, columns=120) as tty:
        tty.until_shown("slow · select id from orders where id < length(pg_sleep")
        tty.until_shown(" · +1 more · 1 of 3 gates")
        tty.type("\x03")
        assert tty.ended() == 130
    until(lambda: not sessions(replica.primary), "all sessions to end")


def test_what_a_thread_does_is_over_with_its_own_item_alone():
    before = going_on()
    begun, go_on = Event(), Event()

    def work():
        with Item("second"), Running("second.sql", "select 2"):
            begun.set()
            go_on.wait()

    other = Thread(target=work)
    with Item("first"), Stage("a stage"):
        other.start()
        begun.wait()
        first, second = look_at_all(before)
        assert (first.subject, first.stages, first.file) == ("first", ("a stage",), "")
        assert (second.subject, second.file) == ("second", "second.sql")
    (second,) = look_at_all(before)
    assert (second.subject, second.file) == ("second", "second.sql")
    go_on.set()
    other.join()
    assert look_at_all(before) == []


@pytest.mark.parametrize("given", ["0", "-1", "x", "1.5", "", "²"])
def test_a_number_of_jobs_that_is_none_is_refused(written, given):
    written({})
    result = check("--dsn=host=nowhere.invalid", "--jobs", given)
    assert result.exit_code == 2
    assert f"'--jobs': expected a number from 1 on, found {given or 'nothing'}" in result.stderr


def test_there_are_no_more_jobs_than_gates(replica, written):
    written(barred(2))
    primary = replica.primary
    with inspecting(primary, 1000, *PATIENT, barred_by=primary) as inspection:
        waiting = [("batchgate/02_is_barred", "Lock")]
        until(lambda: sessions(primary, "/02") == waiting, "the last gate")
        assert sum(each.name.startswith("job ") for each in enumerate()) <= 1
    assert inspection.run().finished
