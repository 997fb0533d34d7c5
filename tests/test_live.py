"""A command's live line is seen while something takes long, and leaves whole lines behind."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from ttys import on_a_terminal, usual_variables
from waits import until

from batchgate.database import connect, create_database, drop_database
from batchgate.operate.onlooker import Onlooker
from batchgate.targets.address import connect as connect_to
from batchgate.targets.address import read_targets

# Prints while the line stands, and goes on when it is told to by a file.
PROGRAM = """\
import sys
from pathlib import Path
from threading import Event, active_count
from batchgate.activity import Item, Stage
from batchgate.cli.live import Live

def await_file(name):
    while not Path(name).exists():
        Event().wait(0.01)

with Live(shown="hidden" not in sys.argv, counted=lambda: "1 of 3 things") as live:
    live.print("watched" if active_count() > 1 else "unseen")
    with Item("sql/03_fill/migration.sql"), Stage("part of hunter2"):
        await_file("go-1")
        live.print("a line that is longer than the live line was" + "." * 40)
        live.print("to stderr", err=True)
        await_file("go-2")
        with live.aside():
            if live._watch:
                live._show(live._watch.again())
            print("sure? ", end="", flush=True)
            await_file("go-3")
            print("yes")
        await_file("go-4")
    live.print("after")
"""
LINE = "03_fill · part of hunter2 · "
PRINTED = [
    "watched",
    "a line that is longer than the live line was" + "." * 40,
    "to stderr",
    "sure? yes",
    "after",
]


@pytest.fixture
def program(tmp_path):
    """Write the program; return how it is called, and its folder."""
    (tmp_path / "program.py").write_text(PROGRAM)
    return [sys.executable, "program.py"], tmp_path


@pytest.mark.parametrize(
    ("columns", "lines"), [pytest.param(100, 24, id="wide"), pytest.param(60, 4, id="at-the-end")]
)
def test_lines_that_are_printed_meanwhile_stay_whole(program, columns, lines):
    command, folder = program
    with on_a_terminal(command, folder, columns=columns, lines=lines) as tty:
        tty.until_shown(LINE)
        assert re.fullmatch(rf"\S {LINE}\d s · 1 of 3 things", tty.screen.text[-1])
        (folder / "go-1").touch()
        tty.until_shown("to stderr")
        tty.until_shown(LINE)
        (folder / "go-2").touch()
        tty.until_shown("sure?")
        assert tty.screen.text[-1] == "sure?"
        (folder / "go-3").touch()
        tty.until_shown(LINE)
        (folder / "go-4").touch()
        assert tty.ended() == 0
        wrapped = [
            line[at : at + columns] for line in PRINTED for at in range(0, len(line), columns)
        ]
        assert tty.screen.text == wrapped


@pytest.mark.parametrize(
    ("arguments", "variables", "shown"),
    [
        pytest.param((), {}, True, id="usual"),
        pytest.param(("hidden",), {}, False, id="json-or-quiet"),
        pytest.param((), {"TERM": "dumb"}, False, id="dumb"),
        pytest.param((), {"CI": "true"}, False, id="ci"),
    ],
)
def test_a_line_is_drawn_only_where_somebody_looks(program, arguments, variables, shown):
    command, folder = program
    with on_a_terminal([*command, *arguments], folder, variables=variables) as tty:
        tty.until_shown("watched" if shown else "unseen")
        for number in range(1, 5):
            (folder / f"go-{number}").touch()
        assert tty.ended() == 0
        assert shown or b"\x1b" not in tty.written


def test_a_stream_that_is_no_terminal_is_given_the_lines_alone(program):
    command, folder = program
    for number in range(1, 5):
        (folder / f"go-{number}").touch()
    ended = subprocess.run(
        command, cwd=folder, env=usual_variables(), capture_output=True, text=True, check=True
    )
    told = ["unseen", *(line for line in PRINTED[1:] if line != "to stderr")]
    assert ended.stdout.splitlines() == told
    assert ended.stderr == "to stderr\n"


@pytest.mark.parametrize("colours", [True, False])
def test_no_color_is_respected(program, colours):
    command, folder = program
    variables = {} if colours else {"NO_COLOR": "1"}
    with on_a_terminal(command, folder, variables=variables) as tty:
        tty.until_shown(LINE)
        assert (b"\x1b[36m" in tty.written) == colours
        assert bool(re.search(rb"\x1b\[[\d;]+m", tty.written)) == colours


def test_ctrl_c_leaves_nothing_of_the_line(program):
    command, folder = program
    with on_a_terminal(command, folder) as tty:
        tty.until_shown(LINE)
        tty.type("\x03")
        tty.ended()
        left = [text for text in tty.screen.text if LINE in text or "^C" in text]
        assert left == []


STATEMENT = """\
import sys
from batchgate.activity import Item, Running
from batchgate.cli.live import Live
from batchgate.targets.address import connect, read_targets

(target,) = read_targets(sys.argv[1:], None, None)
connection = connect(target, application_name="batchgate")
index = "create index concurrently t_x on t (x)"
with Live(target=target), Item("sql/05_index/migration.sql"):
    with Running("sql/05_index/migration.sql", index, 2, 3, connection.info):
        connection.execute(index)
"""


@pytest.fixture
def table(batchgate_server):
    """Give a connection string to a database with a table, and a session that writes to it."""
    name = f"live_{os.getpid()}"
    create_database(batchgate_server, name)
    with connect(batchgate_server, name, autocommit=False) as writer:
        writer.execute("create table t (x int)")
        writer.commit()
        host, port = batchgate_server.host, batchgate_server.port
        yield f"host={host} port={port} user=postgres dbname={name}", writer
    drop_database(batchgate_server, name)


@pytest.fixture
def onlookers(batchgate_server):
    """Return the server's processes that look on."""
    query = "select pid from pg_stat_activity where application_name = 'batchgate/progress'"
    with connect(batchgate_server, "postgres") as session:
        yield lambda: [pid for (pid,) in session.execute(query)]


def test_how_far_a_statement_is_is_asked_in_a_session_of_its_own(table, onlookers, tmp_path):
    dsn, writer = table
    writer.execute("insert into t values (2)")
    (tmp_path / "program.py").write_text(STATEMENT)
    with on_a_terminal([sys.executable, "program.py", dsn], tmp_path, columns=160) as tty:
        tty.until_shown(
            "05_index · migration.sql · statement 2 of 3: create index concurrently t_x on t (x)"
            " · waiting for writers before build (0 of 1 session) · "
        )
        assert len(onlookers()) == 1
        writer.commit()
        assert tty.ended() == 0
        assert tty.screen.text == []
    until(lambda: not onlookers(), "the second session to end")


def test_where_no_answer_comes_nothing_is_known(table, onlookers):
    dsn, writer = table
    there, nowhere = (
        read_targets([each], None, None)[0] for each in (dsn, "host=/nowhere dbname=x user=y")
    )
    place = (writer.info.host, writer.info.port)
    assert Onlooker(nowhere).ask("/nowhere", 5432) == {}
    onlooker = Onlooker(there)
    # What it sees there are sessions of other tests, if any.
    onlooker.ask(*place)
    (first,) = onlookers()
    writer.execute("select pg_terminate_backend(%s, 10000)", [first])
    assert onlooker.ask(*place) == {}
    onlooker.ask(*place)
    (second,) = onlookers()
    assert second != first
    onlooker.close()
    until(lambda: not onlookers(), "the session to end")
    assert onlooker.ask(*place) == {}
    assert onlookers() == []


def test_of_another_server_than_the_one_asked_for_nothing_is_told(table):
    dsn, writer = table
    writer.execute("lock table t")
    (target,) = read_targets([dsn], None, None)
    onlooker = Onlooker(target)
    with (
        ThreadPoolExecutor(1) as threads,
        connect_to(target, application_name="waiting") as waiting,
    ):
        threads.submit(waiting.execute, "insert into t values (3)")
        host, port, pid = writer.info.host, writer.info.port, waiting.info.backend_pid
        try:
            until(lambda: pid in onlooker.ask(host, port), "the session to wait for a lock")
            assert onlooker.ask("another host", port) == {}
        finally:
            writer.rollback()
    onlooker.close()
