"""What a long run is doing is seen while it runs, and leaves nothing where it was shown."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from sound import SOUND
from ttys import Screen, on_a_terminal, usual_variables

from batchgate import activity
from batchgate.activity import Item, Stage, going_on, one_by_one
from batchgate.database import connect
from batchgate.progress.line import LiveLine
from batchgate.progress.opening import opening_of
from batchgate.progress.screen import Screen as PytestScreen
from batchgate.progress.sights import Sight, look
from batchgate.progress.state import Moment
from batchgate.progress.words import elapsed, fitting, joined, parts_of
from batchgate.script import Script, run_script

# The run borrows a server that stands already.
LENDING = """\
import json
from batchgate.collect import HARNESS
from batchgate.server import Server

LENT = json.loads(%r)

def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        session.config.stash[HARNESS].lend(Server(**LENT))
"""
# Waits for the one who looks on, and would be told of what was written into its output.
HELD = """\
from pathlib import Path
from threading import Event
import pytest

@pytest.mark.parametrize("n", range(5))
def test_short(n):
    pass

def test_held(capfd):
    while not Path("go").exists():
        Event().wait(0.01)
    assert capfd.readouterr() == ("", "")

@pytest.mark.parametrize("n", range(5))
def test_short_again(n):
    pass
"""
HELD_FOR_EVER = """\
from threading import Event

def test_short():
    pass

def test_held():
    Event().wait()
"""
# Waits until the log holds so many lines of ours.
LOGGED = """\
from pathlib import Path
from threading import Event
from batchgate.activity import Stage

def test_short():
    pass

def test_held():
    with Stage("all of {stage}"):
        while Path("log").read_text().count("test_held · all of") < 3:
            Event().wait(0.01)

def test_short_again():
    pass
"""
# Says whether anybody looks at what the run does.
LOOKING = """\
from pathlib import Path

def pytest_collection_finish(session):
    progress = session.config.pluginmanager.getplugin("batchgate-progress")
    Path("looks").write_text(str(bool(progress and progress._watch)))
"""
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:html")
SHOWN = "test_held.py::test_held · "


@pytest.fixture
def written(pytester, batchgate_server):
    """Write a sound project with the given files, which runs on our server."""

    def write(files: dict[str, str | None]) -> Path:
        lending = LENDING % json.dumps(batchgate_server.to_dict())
        for path, text in {**SOUND, "conftest.py": lending, **files}.items():
            if text is not None:
                target = pytester.path / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        return pytester.path

    return write


@pytest.fixture
def logged(written):
    """Run pytest with its output in a file, which its tests may read; return the lines."""

    def run(files: dict[str, str], *options: str, **variables: str) -> list[str]:
        folder = written(files)
        with (folder / "log").open("w") as log:
            command = [*PYTEST, "--progress=1ms", *options]
            subprocess.run(
                command,
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**usual_variables(), **variables},
                check=True,
                timeout=120,
            )
        return (folder / "log").read_text().splitlines()

    return run


def left_on(tty):
    """Return what stands on a screen, but for the run's time, of which the last line tells."""
    *rows, _ = tty.screen.cells
    return rows, [re.sub(r"=* (.*) in [\d.]+s.*", r"\1", line) for line in tty.screen.visible]


@pytest.mark.parametrize(
    ("options", "columns", "lines", "variables"),
    [
        pytest.param((), 80, 24, {}, id="one-process"),
        pytest.param(("-v",), 80, 24, {"NO_COLOR": "1"}, id="verbose-no-colour"),
        pytest.param(("-n", "2"), 200, 24, {}, id="two-processes-wide"),
        pytest.param(("-n", "1", "-v"), 80, 24, {}, id="of-another-process-verbose"),
        pytest.param((), 60, 5, {"LC_ALL": "C", "PYTHONUTF8": "0"}, id="at-the-bottom-no-utf-8"),
    ],
)
def test_the_screen_ends_as_it_would_without_the_live_line(
    written, options, columns, lines, variables
):
    folder = written({"test_held.py": HELD})
    size = {"columns": columns, "lines": lines, "variables": variables}
    with on_a_terminal([*PYTEST, *options, "test_held.py"], folder, **size) as tty:
        tty.until_shown(" 1 s")
        assert "test_held.py::test_held" in tty.screen.text[-1]
        (folder / "go").touch()
        assert tty.ended() == 0
    command = [*PYTEST, *options, "--progress=off", "test_held.py"]
    with on_a_terminal(command, folder, **size) as plain:
        assert plain.ended() == 0
    assert left_on(tty) == left_on(plain)


def test_the_live_line_stands_below_the_dots_and_follows_the_terminals_width(written):
    folder = written({"test_held.py": HELD})
    with on_a_terminal([*PYTEST, "test_held.py"], folder, columns=100, lines=12) as tty:
        tty.until_shown("tests")
        *_, dots, live = tty.screen.text
        assert dots == "test_held.py ....."
        assert re.fullmatch(r"\S test_held.py::test_held · \d+ s · 5 of 11 tests", live)
        tty.resize(36, 12)
        tty.until_gone("tests")
        tty.until_shown(SHOWN)
        *_, dots, live = tty.screen.text
        assert dots == "test_held.py ....."
        (folder / "go").touch()
        assert tty.ended() == 0
    assert not [line for line in tty.screen.text if SHOWN in line]


def test_an_interrupted_run_leaves_nothing_of_the_line(written):
    folder = written({"test_held.py": HELD_FOR_EVER})
    screens = []
    for option, seen in (("--progress=auto", SHOWN), ("--progress=off", "test_held.py .")):
        with on_a_terminal([*PYTEST, option, "test_held.py"], folder) as tty:
            tty.until_shown(seen)
            tty.type("\x03")
            assert tty.ended() == 2
        screens.append(left_on(tty))
    assert screens[0] == screens[1]


def test_the_debugger_has_the_terminal_to_itself(written):
    text = HELD.replace("assert capfd", "breakpoint()\n    assert capfd").replace("(capfd)", "()")
    folder = written({"test_held.py": text.replace("    assert capfd.readouterr", "    # ")})
    with on_a_terminal([*PYTEST, "test_held.py"], folder) as tty:
        tty.until_shown(SHOWN)
        (folder / "go").touch()
        tty.until_shown("(Pdb)")
        before = tty.written.count(b"\x1b7")
        for number in range(3):
            # Long enough for the line to be drawn, if anybody drew it.
            tty.type(f"print({number}, 'summed', sum(range(5_000_000)) > 0)\n")
            tty.until_shown(f"{number} summed True")
        assert tty.written.count(b"\x1b7") == before
        assert not any(SHOWN in line for line in tty.screen.visible)
        tty.type("continue\n")
        assert tty.ended() == 0


@pytest.mark.parametrize(
    ("options", "variables", "way"),
    [
        pytest.param((), {}, "LiveLine", id="terminal"),
        pytest.param(("--capture=sys",), {}, "LiveLine", id="captured"),
        pytest.param(("-s",), {}, "LogLines", id="tests-write-themselves"),
        pytest.param((), {"TERM": "dumb"}, "LogLines", id="dumb"),
        pytest.param((), {"CI": "true"}, "LogLines", id="ci"),
        pytest.param(("--progress=10s",), {}, "LogLines", id="asked-for"),
    ],
)
def test_a_live_line_is_drawn_only_where_it_can_be_taken_back(
    pytester, monkeypatch, options, variables, way
):
    for name, value in {"TERM": "xterm", "CI": "", "BUILD_NUMBER": "", **variables}.items():
        monkeypatch.setenv(name, value)
    config = pytester.parseconfigure(*options)
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as stream:
        writer = config.get_terminal_writer()
        monkeypatch.setattr(writer, "_file", stream)
        first = 10.0 if options == ("--progress=10s",) else None
        screen = PytestScreen(config, str, first)
        assert type(screen._shown).__name__ == way
        assert writer._file is not stream
        screen.close()
        assert writer._file is stream
    os.close(ours)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param((), True, id="usual"),
        pytest.param(("-q",), False, id="quiet"),
        pytest.param(("--progress=off",), False, id="off"),
        pytest.param(("-o", "batchgate_progress=off"), False, id="off-in-the-ini-file"),
        pytest.param(("--collect-only",), False, id="nothing-runs"),
        pytest.param(("-p", "no:terminal"), False, id="no-terminal"),
    ],
)
def test_nobody_looks_on_where_nothing_is_to_be_shown(project, pytester, options, shown):
    project({"conftest.py": LOOKING, "test_a.py": "def test_a(): pass"}, "test_a.py", *options)
    assert (pytester.path / "looks").read_text() == str(shown)


@pytest.mark.parametrize("given", ["5", "soon", "-1s", ""])
def test_a_time_that_is_none_is_refused(project, given):
    result = project({}, "gates", f"--progress={given}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--progress: expected auto, off or a duration such as 30s, *"])


def assert_rarer_and_rarer(told):
    """A test is told of again only once its time has doubled."""
    seconds = [float(n) / (1000 if unit == "ms" else 1) for n, unit in map(str.split, told)]
    assert len(seconds) == 3
    for earlier, later in pairwise(seconds):
        due = 0.001
        while due <= earlier:
            due *= 2
        assert later >= due - 0.05


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        pytest.param((), ["test_held.py ."], "..", id="dots"),
        pytest.param(
            ("-v",),
            ["test_held.py::test_short PASSED", "test_held.py::test_held "],
            "",
            id="verbose",
        ),
        pytest.param(("-n", "1"), ["."], "..", id="another-process"),
        pytest.param(
            ("-n", "1", "-v"),
            ["[gw0] [ 33%] PASSED test_held.py::test_short ", "test_held.py::test_held "],
            "[gw0] [ 66%] PASSED test_held.py::test_held",
            id="another-process-verbose",
        ),
    ],
)
def test_a_log_tells_of_what_takes_long_and_goes_on_where_it_was(logged, options, before, after):
    lines = logged({"test_held.py": LOGGED}, *options, "test_held.py")
    ours = [at for at, line in enumerate(lines) if "test_held · all of" in line]
    first, last = ours[0], ours[-1]
    assert ours == list(range(first, last + 1))
    shown = [re.sub(r" +\[ *\d+%\]$", "", line) for line in lines[:first]]
    assert shown[-len(before) :] == before
    assert lines[last + 1].startswith(after)
    told = (
        r"batchgate: (\d+ ms|[\d.]+ s) · test_held\.py::test_held · all of \{stage\} · 1 of 3 tests"
    )
    times = [re.fullmatch(told, line) for line in lines[first : last + 1]]
    assert all(times)
    assert_rarer_and_rarer([at[1] for at in times])
    assert lines[-1].startswith("=")


def test_a_log_keeps_the_order_in_which_things_were_said(logged):
    conftest = """
from pathlib import Path
from threading import Event
import pytest
from batchgate.activity import Stage

@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    with Stage("preparing"):
        while "preparing" not in Path("log").read_text():
            Event().wait(0.01)
"""
    lines = logged({"conftest.py": conftest, "test_a.py": "def test_a(): pass"}, "test_a.py")
    told = next(at for at, line in enumerate(lines) if "preparing" in line)
    assert lines.index("collected 1 item") < told
    # Where the machine is slow, a line of the test's own comes before its dot.
    assert [line for line in lines[told:] if line.startswith("test_a.py")]


def test_passwords_are_told_neither_in_a_log_nor_on_a_terminal(logged):
    dsn = "postgresql://reader:hunter2hunter2@localhost/none"
    text = LOGGED.replace("{stage}", "hunter2hunter2")
    lines = logged({"test_held.py": text}, "test_held.py", BATCHGATE_DSN=dsn)
    assert [line for line in lines if "test_held · all of" in line]
    assert not [line for line in lines if "hunter2hunter2" in line]


def test_what_workers_do_is_told_and_their_folder_goes_with_the_run(written):
    conftest = """

def pytest_configure(config):
    if hasattr(config, "workerinput"):
        from pathlib import Path
        Path("folder").write_text(config.workerinput["batchgate_progress"])
"""
    dying = """

def test_dying():
    import os
    Path("dead").write_text(os.environ["PYTEST_XDIST_WORKER"])
    while not Path("die").exists():
        Event().wait(0.01)
    os._exit(3)
"""
    folder = written({"test_held.py": HELD.replace("range(5)", "range(1)") + dying})
    with (folder / "conftest.py").open("a") as file:
        file.write(conftest)
    with on_a_terminal([*PYTEST, "-n", "2", "test_held.py"], folder, columns=120) as tty:
        tty.until_shown("+1 more")
        kept, dead = (Path((folder / name).read_text()) for name in ("folder", "dead"))
        assert "test_dying" in (kept / f"{dead}.json").read_text()
        (folder / "die").touch()
        tty.until_shown("replacing crashed worker")
        assert not (kept / f"{dead}.json").exists()
        tty.until_shown(SHOWN)
        (folder / "go").touch()
        assert tty.ended() == 1
    assert not kept.exists()
    assert not [line for line in tty.screen.text if SHOWN in line]
    replaced = [line for line in tty.screen.text if line.startswith("replacing")]
    assert [
        line for line in replaced if not re.fullmatch(r"replacing crashed worker gw\d", line)
    ] == []


SLOW = {
    **{path: None for path in SOUND if path != "pytest.ini"},
    "sql/01_slow/migration.sql": """\
-- The table is indexed.
-- present: to_regclass('t_x') is not null
-- transaction: none

create table t (x int);
insert into t values (1);
do $$ begin
    while not exists (
        select from pg_catalog.pg_stat_activity where application_name = 'go_on'
    ) loop
        perform pg_sleep(0.01);
        perform pg_stat_clear_snapshot();
    end loop;
end $$;
create index concurrently t_x on t (x);
""",
    "sql/01_slow/rollback.sql": "drop table t;",
    "sql/01_slow/validation.sql": "select 1;",
}


def test_a_statement_is_told_with_how_far_the_server_is(written, batchgate_server):
    folder = written(SLOW)
    command = [*PYTEST, "sql/01_slow/validation.sql::passes"]
    with (
        connect(batchgate_server, "postgres") as maintenance,
        on_a_terminal(command, folder, columns=200) as tty,
    ):
        tty.until_shown("01_slow · passes · up to 01_slow · ")
        tty.until_shown("migration.sql · statement 3 of 4: do · ")
        where = "select datname from pg_stat_activity where query like 'do%go_on%'"
        (name,) = maintenance.execute(where).fetchone()
        with connect(batchgate_server, name, autocommit=False) as writer:
            writer.execute("insert into t values (2)")
            maintenance.execute("set application_name = 'go_on'")
            tty.until_shown(
                "statement 4 of 4: create index concurrently t_x on t (x)"
                " · waiting for writers before build (0 of 1 session) · "
            )
        assert tty.ended() == 0


def test_whatever_is_run_says_so(project, batchgate_server, monkeypatch):
    told = []

    class Told(list):
        def append(self, one):
            told.append((one.words, getattr(one, "number", None), getattr(one, "of", None)))
            super().append(one)

    monkeypatch.setattr(activity, "_BOARD", Told())
    dsn = f"host={batchgate_server.host} port={batchgate_server.port} user=postgres dbname=postgres"
    kept = "sql/01_add_orders/rollback.sql::every-failure-is-clean"
    assert project({}, "sql/01_add_orders/validation.sql", kept, "gates").ret == 0
    project({}, "gates", "--dsn", dsn, "--allow-superuser")
    words = {each for each, *_ in told}
    migration = "sql/01_add_orders/migration.sql"
    assert words >= {
        "up to 01_add_orders",
        "up to 02_index_orders",
        "sql/01_add_orders/rollback.sql",
        "scenarios/sample/01.sql",
        "gates/01_orders_have_currency.sql",
        "gates/01_orders_have_currency.sql::green",
        "asking for a snapshot of the target",
        "sql/01_add_orders/validation.sql::passes",
    }
    assert [each for each in words if re.fullmatch(r"mutant 1 of \d+", each)]
    assert [each for each in words if re.fullmatch(r"failure 1 of \d+", each)]
    assert {(migration, number, 4) for number in (1, 2, 3, 4)} <= set(told)
    assert not activity._BOARD


def test_a_statement_is_told_while_it_runs_and_not_after(batchgate_server, tmp_path):
    before, seen = going_on(), []
    connection = connect(batchgate_server, "postgres")
    pid = connection.info.backend_pid
    path = tmp_path / "migration.sql"
    path.write_text("select 1;\ndo $$ begin raise notice 'now'; end $$;\n")
    connection.add_notice_handler(lambda _: seen.append(look(before)))
    with connection, Item("sql/01_a/migration.sql::applies"):
        run_script(connection, Script(path, tmp_path))
        assert look(before).file == ""
    assert look(before) is None
    (sight,) = seen
    assert (sight.subject, sight.file) == ("sql/01_a/migration.sql::applies", "migration.sql")
    assert (sight.number, sight.of, sight.opening) == (2, 2, "do")
    assert (sight.pid, sight.host) == (pid, batchgate_server.host)


def test_what_an_error_ended_is_over_with_its_test():
    before = going_on()
    # Who keeps an error's traceback keeps the loop open that it came from.
    loop = one_by_one("mutant", [1, 2])
    with Item("test_a.py::test_a"), Stage("inside"):
        next(loop)
        assert look(before).stages == ("inside", "mutant 1 of 2")
    assert going_on() == before
    loop.close()


def test_a_run_within_a_test_tells_of_its_own_tests_alone():
    with Item("outer"):
        before = going_on()
        assert look(before) is None
        with Item("inner"), Stage("stage"):
            assert (look(before).subject, look(before).stages) == ("inner", ("stage",))


@pytest.mark.parametrize(
    ("sql", "opening"),
    [
        ("create unique index a_b on t (c)", "create unique index a_b on t (c)"),
        ("insert into t (a, b) values ('ann', 1)", "insert into t (a, b) values"),
        ("update t set a = 'it''s ann' where b", "update t set a"),
        (r"select E'it\'s ann', b", "select"),
        ("do $$ begin perform 'ann'; end $$", "do"),
        ("select $a$ann$a$", "select"),
        ("select 4711, b", "select"),
        ("select a-4711", "select a"),
        ("select 'never closed", "select"),
        ('alter table "Lead" add a int', 'alter table "Lead" add a int'),
        ("-- of ann\n/* ann */ select\n  a", "select a"),
        (f"select {'a' * 380} + '{'ann' * 400}'", "select"),
        ("select U&'ann', b", "select"),
        ("", ""),
    ],
)
def test_of_a_statement_only_what_comes_before_any_value_is_told(sql, opening):
    assert opening_of(sql) == opening


def sight(**given):
    known = {"subject": "sql/05_add_indexes/rollback.sql::restores-data", "since": 0.0, **given}
    return Sight(**known)


STATEMENT = {
    "file": "sql/05_add_indexes/migration.sql",
    "number": 3,
    "of": 6,
    "opening": "create unique index",
    "host": "/run",
    "port": 5432,
    "pid": 7,
}
HALFWAY = {("/run", 5432, 7): "building index: scanning table 41 %"}


@pytest.mark.parametrize(
    ("room", "told"),
    [
        (
            200,
            "05_add_indexes · restores-data · failure 2 of 9 · migration.sql · statement 3 of 6:"
            " create unique index · building index: scanning table 41 %",
        ),
        (
            112,
            "05_add_indexes · restores-data · failure 2 of 9 · statement 3 of 6"
            " · building index: scanning table 41 %",
        ),
        (80, "05_add_indexes · statement 3 of 6 · building index: scanning table 41 %"),
        (60, "05_add_indexes · building index: scanning table 41 %"),
        (25, "05_add_indexes"),
        (5, "05_add_indexes"),
    ],
)
def test_where_there_is_less_room_what_matters_most_is_told(room, told):
    moment = Moment(now=9.0, phases=HALFWAY)
    parts = parts_of(sight(stages=("failure 2 of 9",), **STATEMENT), moment)
    assert joined(fitting(parts, room, len)) == told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"subject": "tests/test_a.py::test_b[1]"}, "test_a.py::test_b[1]", id="test"),
        pytest.param({"subject": "gates/07_a.sql::green[eu]"}, "07_a · green[eu]", id="gate"),
        pytest.param({"subject": "starting PostgreSQL"}, "starting PostgreSQL", id="no-test"),
        pytest.param(
            {**STATEMENT, "file": "sql/04_b/migration.sql", "opening": ""},
            "05_add_indexes · restores-data · 04_b/migration.sql · statement 3 of 6",
            id="another-batch",
        ),
        pytest.param(
            {**STATEMENT, "stages": ("mutant 2 of 9",), "sent": 8.9},
            "05_add_indexes · restores-data · mutant 2 of 9",
            id="short-statement-of-a-stage",
        ),
    ],
)
def test_what_a_process_does_reads_well(given, told):
    assert joined(parts_of(sight(**given), Moment(now=9.0))) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.7, "1 s"), (59.4, "59 s"), (60, "1 min 00 s"), (125, "2 min 05 s"), (3725, "1 h 02 min")],
)
def test_a_duration_reads_well(seconds, told):
    assert elapsed(seconds) == told


@pytest.fixture
def terminal():
    """Give a terminal of 120 columns to write to, and what stands on it."""
    ours, theirs = os.openpty()
    screen = Screen(120, 6)
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, screen, ours
    os.close(ours)


def drawn(terminal, monkeypatch, *sights, column=0, columns=120, scrub=str):
    """Draw a line at a moment and return the screen."""
    stream, screen, ours = terminal
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 6)))
    line = LiveLine(stream, lambda: column, lambda: "1 of 3 tests", scrub, colour=True)
    line.show(Moment(now=9.0, sights=sights))
    stream.flush()
    screen.take(os.read(ours, 65536))
    return screen


HOSTILE = 'x[bold red]\x1b[31m\x1b]0;title\x07\r\n\u202e\u200d\t"[/]:smile:'


@pytest.mark.parametrize("where", ["subject", "opening"])
def test_hostile_names_stay_text(terminal, monkeypatch, where):
    screen = drawn(terminal, monkeypatch, sight(**{"subject": "a", where: HOSTILE}))
    (line,) = screen.text
    assert r'x[bold red]\x1b[31m\x1b]0;title\x07\x0d\n\u202e\u200d\x09"[/]:smile: · ' in line
    colours = {cell.fg for cell in screen.cells[0][2:]}
    assert colours == {"default"}


def test_wide_signs_are_cut_by_their_width(terminal, monkeypatch):
    screen = drawn(terminal, monkeypatch, sight(subject="日本語" * 40), columns=60)
    (line,) = screen.text
    assert re.fullmatch(r"\S 日.*…  ?· 9 s", re.sub("(?<=[日本語])", "", line))


def test_what_is_wider_than_the_terminal_is_cut_there(terminal, monkeypatch):
    screen = drawn(terminal, monkeypatch, sight(subject="x" * 300), columns=200)
    assert [len(line) for line in screen.text] == [120]


def test_of_several_processes_the_one_that_takes_longest_is_told(terminal, monkeypatch):
    others = [sight(subject=f"test_{since}", since=since) for since in (3.0, 1.0, 2.0, 8.9)]
    screen = drawn(terminal, monkeypatch, *others)
    assert re.fullmatch(r"\S test_1.0 · 8 s · \+2 more · 1 of 3 tests", screen.text[0])


@pytest.mark.parametrize(
    ("given", "columns", "column"),
    [
        pytest.param({"since": 8.5}, 120, 0, id="nothing-is-long"),
        pytest.param({}, 20, 0, id="narrow"),
        pytest.param({}, 60, 120, id="pytest-is-between-two-lines"),
    ],
)
def test_where_a_line_would_do_harm_none_is_drawn(terminal, monkeypatch, given, columns, column):
    stream, _, ours = terminal
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 6)))
    line = LiveLine(stream, lambda: column, str, str, colour=True)
    line.show(Moment(now=9.0, sights=[sight(**given)]))
    line.withdraw()
    stream.write("end")
    stream.flush()
    assert os.read(ours, 65536) == b"end"
