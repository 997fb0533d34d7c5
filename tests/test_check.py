"""`batchgate check` says of a database what pytest says of it, and leaves nothing there."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from replicas import gate_role
from sound import FIRST, SOUND
from strict import validator
from ttys import on_a_terminal
from waits import until

from batchgate.catalog import compare, take_snapshot
from batchgate.cli import main
from batchgate.cli.project import read_project
from batchgate.config import Settings
from batchgate.contents import compare_contents, take_contents
from batchgate.database import connect
from batchgate.discover import discover
from batchgate.findings import State
from batchgate.gates.run import Manner
from batchgate.limits import Limits
from batchgate.operate.gates import required_gates, run_gates

COMMAND = (sys.executable, "-c", "from batchgate.cli import main; main(prog_name='batchgate')")
READER = "gate_reader"
ROOT = Path(__file__).parent.parent
SLOW = "select id from orders where id < length(pg_sleep(30)::text)"
HEADER = "-- True of {name}.\n-- level: {level}\n-- of: {of}\n{more}-- show: id\n-- fix: Do it.\n\n"


def gate(
    name: str, sql: str, level: str = "required", more: str = "", of: str = "orders"
) -> dict[str, str]:
    text = HEADER.format(name=name, level=level, more=more, of=of) + sql
    return {f"gates/{name}.sql": text, f"gates/{name}.red.sql": "select 1;"}


# A gate of each state, and of several ways to give no result.
OF_EACH_STATE = {
    **gate("01_orders_have_currency", "select id from orders where id < 0"),
    **gate("02_fails", "select id, email from orders order by id"),
    **gate("03_warns", "select id, email from orders order by id", "informational"),
    **gate("04_idles", "select id from empty", of="empty"),
    **gate("05_waits", "select id from orders", more="-- after: 02_index_orders\n"),
    **gate("06_may_not", "select id from secret", of="secret"),
    **gate("07_errs", "select id from orders where 1 / (id - id) = 1"),
    **gate("08_is_slow", SLOW, "informational"),
    **gate("09_reaches", "select id from orders where pg_notify('x', 'y') is null"),
    **gate("10_figures", "select id, 'x' as finding from orders", more="-- rows: figures\n"),
}


@pytest.fixture
def replica(pair):
    """A pair where the first batch stands, with two orders, and a role that reads them."""
    pair.run("drop schema public cascade", "create schema public")
    pair.run("grant usage on schema public to public", FIRST)
    pair.run("create table empty (id int)", "create table secret (id int)")
    pair.run("insert into orders values (1, 'EUR', 'ann@example.com'), (2, 'EUR', 'b@example.com')")
    gate_role(pair, READER, ["orders", "empty"])
    return pair


@pytest.fixture
def written(pytester):
    """Write a sound project with the given changes; the project is the current folder."""

    def write(changes: dict[str, str | None]) -> Path:
        for path, text in {**SOUND, **changes}.items():
            if text is not None:
                target = pytester.path / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        return pytester.path

    return write


@pytest.fixture
def check(written, monkeypatch):
    """Write a project and check it in this process."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(changes: dict[str, str | None], *arguments: str):
        written(changes)
        return CliRunner().invoke(main, ["check", *arguments], catch_exceptions=False)

    return run


def dsn_of(server, user: str = READER) -> str:
    return f"host={server.host} port={server.port} dbname=postgres user={user}"


def of_gates(document: dict) -> list[dict]:
    """Return what two runs say alike of their gates."""
    ours = ("seconds", "statement", "plan")
    return [{k: v for k, v in gate.items() if k not in ours} for gate in document["gates"]]


def of_targets(document: dict) -> list[dict]:
    seen = [(len(each.pop("snapshots")), each.pop("lag"), each) for each in document["targets"]]
    return [(number, {k: v for k, v in each.items() if "lag" not in k}) for number, _, each in seen]


def of_tables(lines: list[str]) -> list[str]:
    """Return the tables and the verdict as they are printed, without times and rows of gates."""
    (first,) = [n for n, line in enumerate(lines) if " gates on primary " in line]
    (last,) = [n for n, line in enumerate(lines) if line.startswith("Gates fail: ")]
    told = (re.sub(r"[\d.]+ m?s$|taken at .*|^  lag: .*|==+", "", line) for line in lines[first:])
    kept = [re.sub(r"  +", "  ", line).strip() for line in list(told)[: last - first + 1]]
    return [line for line in kept if not line.startswith("row: ")]


@pytest.mark.parametrize("mode", ["shared", "per-gate"])
def test_it_says_what_pytest_says(project, check, replica, pytester, mode):
    options = (
        f"--dsn=primary={dsn_of(replica.primary)}",
        f"--dsn=standby={dsn_of(replica.standby)}",
        "--statement-timeout=200ms",
        "--samples=1",
        f"--snapshot={mode}",
    )
    replica.catch_up()
    by_pytest = project(OF_EACH_STATE, "gates", "-k", "green", *options)
    theirs = json.loads((pytester.path / "reports/report.json").read_text())
    printed = check(OF_EACH_STATE, *options)
    ours = json.loads(check(OF_EACH_STATE, *options, "--json").stdout)
    assert {each["state"] for each in ours["gates"]} == {
        *("passed", "failed", "warned", "not_exercised", "not_applicable"),
        *("no_result", "error"),
    }
    assert of_gates(ours) == of_gates(theirs)
    assert of_targets(ours) == of_targets(theirs)
    assert {name: ours[name] for name in ("verdict", "exit_code", "finished")} == {
        name: theirs[name] for name in ("verdict", "exit_code", "finished")
    }
    assert of_tables(printed.stdout.splitlines()) == of_tables(by_pytest.outlines)
    assert printed.exit_code == ours["exit_code"] == by_pytest.ret == 1


PASSING = {}
FAILING = gate("01_orders_have_currency", "select id, email from orders")
WARNING = gate("01_orders_have_currency", "select id, email from orders", "informational")
IDLE = gate("01_orders_have_currency", "select id from empty", of="empty")
WRONG = {"gates/01_orders_have_currency.sql": "-- True.\n-- level: required\n\nselect 1\n"}


@pytest.mark.parametrize(
    ("changes", "arguments", "code"),
    [
        pytest.param(PASSING, (), 0, id="passed"),
        pytest.param(WARNING, (), 0, id="warned"),
        pytest.param(WARNING, ("--strict-gates",), 1, id="warned-strict"),
        pytest.param(FAILING, (), 1, id="failed"),
        pytest.param(IDLE, (), 1, id="not-exercised"),
        pytest.param(IDLE, ("--allow-empty",), 0, id="not-exercised-allowed"),
        pytest.param(PASSING, ("--max-cost=0",), 1, id="no-result"),
        pytest.param(PASSING, ("02",), 2, id="unknown-gate"),
        pytest.param(WRONG, (), 4, id="wrong-file"),
        pytest.param(PASSING, ("--samples=few",), 2, id="wrong-option"),
    ],
)
def test_how_it_ended_is_told_by_the_exit_code(check, replica, changes, arguments, code):
    ended = check(changes, "--dsn", dsn_of(replica.primary), *arguments)
    assert ended.exit_code == code, ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(
    ("arguments", "code"), [((), 1), (("--allow-superuser",), 0)], ids=["refused", "allowed"]
)
def test_a_superuser_is_refused_unless_that_is_said_to_be_meant(check, replica, arguments, code):
    ended = check({}, "--dsn", dsn_of(replica.primary, "postgres"), *arguments)
    assert ended.exit_code == code
    assert ("no gate ran: role refused" in ended.stdout) == bool(code)


@pytest.mark.parametrize("level", ["required", "informational"])
def test_a_server_that_is_not_reached_is_told_from_a_gate_that_fails(check, level):
    changes = gate("01_orders_have_currency", "select id from orders", level)
    ended = check(changes, "--dsn", "postgresql://ann:hunter2@nowhere.invalid/shop")
    assert ended.exit_code == 5
    assert "no gate ran: no connection" in ended.stdout
    assert "hunter2" not in ended.output


def test_a_gate_that_fails_weighs_more_than_a_server_that_is_not_reached(check, replica):
    there, nowhere = dsn_of(replica.primary), "host=nowhere.invalid"
    assert check(FAILING, f"--dsn=a={there}", f"--dsn=b={nowhere}").exit_code == 1
    assert check(PASSING, f"--dsn=a={there}", f"--dsn=b={nowhere}", "--max-cost=0").exit_code == 1
    assert check(PASSING, f"--dsn=a={there}", f"--dsn=b={nowhere}").exit_code == 5


def test_without_a_database_it_says_what_to_give(check, monkeypatch):
    monkeypatch.delenv("BATCHGATE_DSN", raising=False)
    ended = check({})
    assert ended.exit_code == 2
    assert "BATCHGATE_DSN" in ended.stderr
    assert "`pytest -m gates`" in ended.stderr


def test_where_there_are_no_gates_that_is_no_pass(check, replica):
    none = {path: None for path in SOUND if path.startswith("gates/")}
    ended = check(none, "--dsn", dsn_of(replica.primary))
    assert ended.exit_code == 4
    assert "expected gates to run, found none" in ended.stderr


def test_gates_are_chosen_by_number_by_name_and_by_file(check, replica):
    changes = {
        **gate("01_orders_have_currency", "select id from orders where id < 0"),
        **gate("02_b", "select id from orders where id < 0"),
        **gate("03_c", "select id from orders where id < 0"),
        **gate("04_d", "select id from orders where id < 0"),
    }
    named = ("gates/04_d.sql", "2", "01_orders_have_currency", "02_b")
    ended = check(changes, "--dsn", dsn_of(replica.primary), "--json", *named)
    document = json.loads(ended.stdout)
    names = [each["name"] for each in document["gates"]]
    assert names == ["01_orders_have_currency", "02_b", "04_d"]
    assert document["gates_not_run"] == ["03_c"]
    assert document["verdict"]["reason"] == "1 required gate not run (03_c)"
    assert ended.exit_code == 0


FIGURES = gate(
    "01_orders_have_currency",
    "select id, email, case when id > 1 then 'much' end as finding"
    " from orders cross join generate_series(1, 2)",
    more="-- rows: figures\n",
)


@pytest.mark.parametrize(
    ("changes", "samples", "rows"),
    [
        pytest.param(FAILING, 1, ["row: id=1 | email=••••", "row: … and 1 more"], id="one"),
        pytest.param(FAILING, 2, ["row: id=1 | email=••••", "row: id=2 | email=••••"], id="all"),
        pytest.param(FAILING, 0, [], id="none"),
        pytest.param(
            FIGURES,
            1,
            ["row: id=2 | email=•••• | finding=much", "row: … and 1 more"],
            id="figures",
        ),
    ],
)
def test_what_a_gate_finds_is_shown_masked_and_no_more_than_was_asked_for(
    check, replica, changes, samples, rows
):
    ended = check(changes, "--dsn", dsn_of(replica.primary), f"--samples={samples}")
    assert [line.strip() for line in ended.stdout.splitlines() if "row:" in line] == rows
    assert "@example.com" not in ended.output


def test_quiet_leaves_the_verdict(check, replica):
    ended = check(FAILING, "--dsn", dsn_of(replica.primary), "--quiet")
    assert ended.output == "Gates fail: blocked by 1 required gate (01_orders_have_currency)\n"
    many = {
        path: text
        for number in range(2, 5)
        for path, text in gate(f"0{number}_fails_{number}", "select id from orders").items()
    }
    ended = check({**FAILING, **many}, "--dsn", dsn_of(replica.primary), "--quiet")
    assert ended.output == "Gates fail: blocked by 4 required gates\n"


def test_of_a_receiver_only_a_standby_tells(check, replica):
    gate_role(replica, READER, ["orders"], stats=False)
    told = [
        "pg_read_all_stats" in check(PASSING, "--dsn", dsn_of(server)).output
        for server in (replica.primary, replica.standby)
    ]
    assert told == [False, True]


def test_what_is_left_in_a_file_is_a_report_to_draw_and_to_compare_with(check, project, replica):
    options = ("--dsn", dsn_of(replica.primary))
    ended = check(FAILING, *options, "--report", "there/report.json", "--samples=1")
    assert ended.exit_code == 1
    document = json.loads(Path("there/report.json").read_text())
    validator().validate(document)
    (test,) = document["tests"]
    assert (test["id"], test["outcome"]) == ("gates/01_orders_have_currency.sql::green", "failed")
    assert "row: id=1 | email=••••" in test["text"]
    assert (document["exit_code"], document["history"]) == (1, [])
    drawn = CliRunner().invoke(main, ["report", "there/report.json"], catch_exceptions=False)
    assert drawn.exit_code == 0, drawn.output
    since = project(FAILING, "gates", "-k", "green", *options, "--compare=there/report.json")
    since.stdout.fnmatch_lines(["*since the last run*", "nothing new since *"])


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("colours", [True, False])
def test_it_reads_well_on_a_terminal(written, replica, columns, colours):
    command = (*COMMAND, "check", "--dsn", dsn_of(replica.primary), "--statement-timeout=1s")
    variables = {} if colours else {"NO_COLOR": "1"}
    size = {"columns": columns, "variables": variables}
    replica.run("grant select on secret to gate_reader")
    with on_a_terminal(command, written(OF_EACH_STATE), **size) as tty:
        assert tty.ended() == 1
    used = {cell.fg for row in tty.screen.cells for cell in row}
    assert used == ({"default", "red", "green", "brown"} if colours else {"default"})
    lines = tty.screen.text
    assert lines[0] == " gates ".center(columns, "=")
    # What is longer than the terminal is wide would go on at the beginning of the next line.
    begun = ("=", " ", "no.", "Gates fail: ", "ver")
    assert [line for line in lines if not line.startswith(begun)] == []


def test_nothing_is_written_to_the_database_or_to_a_file(check, replica, pytester):
    def everything():
        with connect(replica.primary, "postgres") as session:
            xmax = "select pg_snapshot_xmax(pg_current_snapshot())::text"
            (number,) = session.execute(xmax).fetchone()
            return number, take_snapshot(session), take_contents(session)

    check(OF_EACH_STATE, "--help")
    files = {path: path.read_bytes() for path in pytester.path.rglob("*") if path.is_file()}
    number, schema, contents = everything()
    options = ("--dsn", dsn_of(replica.primary), "--statement-timeout=100ms")
    assert check(OF_EACH_STATE, *options).exit_code == 1
    after, schema_after, contents_after = everything()
    assert after == number
    assert compare(schema, schema_after) == []
    assert compare_contents(contents, contents_after) == []
    left = {path: path.read_bytes() for path in pytester.path.rglob("*") if path.is_file()}
    assert left == files


def at_work(server) -> list[str]:
    with connect(server, "postgres") as session:
        query = "select application_name from pg_stat_activity where usename = 'gate_reader'"
        return [name for (name,) in session.execute(query).fetchall()]


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "told-to-end"])
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_an_interrupted_check_leaves_nothing_running_and_says_so(written, replica, number, as_json):
    second = gate("02_is_slow", SLOW)
    folder = written(second)
    options = ("check", "--dsn", dsn_of(replica.standby), *(["--json"] if as_json else []))
    run = subprocess.Popen(
        (*COMMAND, *options), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: "batchgate/02_is_slow" in at_work(replica.standby), "the gate at work")
        run.send_signal(number)
        out, err = run.communicate(timeout=20)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == 130
    assert "gate 02_is_slow was cancelled on the server; 1 of 2 gates had ended" in err
    assert "Traceback" not in err
    until(lambda: not at_work(replica.standby), "all sessions to end")
    if as_json:
        told = json.loads(out)
        assert (told["exit_code"], told["finished"]) == (130, False)
        assert [each["state"] for each in told["gates"]] == ["passed"]
    else:
        assert "  interrupted: connection lost: the run was interrupted\n" in out
        assert out.endswith("No verdict: the run did not finish\n")


def test_the_gate_that_takes_long_is_told_on_a_terminal(written, replica):
    folder = written(gate("02_is_slow", SLOW))
    command = (*COMMAND, "check", "--dsn", dsn_of(replica.standby))
    with on_a_terminal(command, folder, columns=100) as tty:
        tty.until_shown("02_is_slow · select id from orders where id < length(pg_sleep")
        tty.until_shown(" · 1 of 2 gates")
        tty.type("\x03")
        assert tty.ended() == 130
    shown = tty.screen.text
    assert re.match("=+ gates =+$", shown[0])
    assert not [line for line in shown if " · 1 of 2 gates" in line or "^C" in line]
    until(lambda: not at_work(replica.standby), "all sessions to end")


THIRD = (
    "-- Orders are kept.\n-- requires: 02_index_orders\n-- irreversible: for the test\n\nselect 1;"
)
OVER_BATCHES = {
    **gate("02_over_both", "select 1 as id", more="-- after: 01_add_orders, 02_index_orders\n"),
    **gate("03_over_the_third", "select 1 as id", more="-- after: 03_keep_orders\n"),
    **gate("04_is_to_be_read", "select 1 as id", "informational", "-- after: 01_add_orders\n"),
    **gate("05_over_nothing", "select 1 as id"),
    "sql/03_keep_orders/migration.sql": THIRD.replace("requires", "present: true\n-- requires"),
}


@pytest.mark.parametrize(
    ("batch", "asked"),
    [
        ("01_add_orders", [5]),
        ("02_index_orders", [1, 5]),
        ("03_keep_orders", [1, 2, 5]),
    ],
)
def test_a_batch_asks_the_required_gates_over_all_that_it_builds_on(written, batch, asked):
    written(OVER_BATCHES)
    suite = read_project().suite
    assert [gate.number for gate in required_gates(suite, suite.batch(batch))] == asked


def test_gates_run_on_an_operators_connection_and_leave_it_as_it_was(written, replica):
    root = written(OF_EACH_STATE)
    settings = Settings(
        root=root, sql=root / "sql", gates=root / "gates", sample=root, reports=root
    )
    suite = discover(settings)
    manner = Manner(limits=Limits(statement_timeout="200ms"), samples=1)
    asked = "select name, setting from pg_settings where source = 'session' order by name"
    with connect(replica.primary, "postgres") as session:
        before = session.execute(asked).fetchall()
        results = run_gates(session, suite.gates, suite, settings, manner)
        assert session.execute(asked).fetchall() == before
        assert session.autocommit
    assert {each.number: (each.state, each.fails) for each in results} == {
        1: (State.PASSED, False),
        2: (State.FAILED, True),
        3: (State.WARNED, False),
        4: (State.NOT_EXERCISED, True),
        5: (State.NOT_APPLICABLE, True),
        6: (State.NOT_EXERCISED, True),
        7: (State.ERROR, True),
        8: (State.NO_RESULT, False),
        9: (State.ERROR, True),
        10: (State.FAILED, True),
    }
    assert [row.cells for row in results[1].sample] == [("1", "••••")]
