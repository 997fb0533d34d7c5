"""A command reads a project as pytest does, without the plugins that are idle there."""

import subprocess
import sys

import pytest
from sound import SOUND

CALL = "from batchgate.cli import main; main(prog_name='batchgate')"
# Nothing is connected to: no gate is of this number.
CHECK = ("check", "--dsn=host=nowhere.invalid", "99")
READ = "expected the number or the name of a gate, found 99"
IDLE = (
    *("pytest_html", "pytest_metadata", "pytest_postgresql", "xdist"),
    *("jinja2", "multiprocessing", "psutil", "rich"),
    *("batchgate.plugin", "batchgate.harness", "batchgate.heights", "batchgate.report"),
)


@pytest.fixture
def called(pytester):
    """Write a sound project with the given changes, and call a command there."""

    def call(changes: dict[str, str], *words: str, code: str = CALL):
        for path, text in {**SOUND, **changes}.items():
            target = pytester.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        run = (sys.executable, "-c", code, *(words or CHECK))
        return subprocess.run(run, cwd=pytester.path, capture_output=True, text=True, check=False)

    return call


def test_what_is_idle_is_not_loaded(called):
    code = f"import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules))); {CALL}"
    done = called({}, code=code)
    assert READ in done.stderr
    assert [name for name in done.stdout.split() if name in IDLE] == []


HOOKS = """
def pytest_html_report_title(report):
    report.title = "ours"
"""
ASKING = """
def pytest_cmdline_main(config):
    assert config.getoption("numprocesses") == 2
"""


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"pytest.ini": "[pytest]\naddopts = -n 2 --html=page.html"}, id="options"),
        pytest.param({"pytest.ini": "[pytest]\nrequired_plugins = pytest-xdist"}, id="required"),
        pytest.param({"conftest.py": HOOKS}, id="hooks"),
        pytest.param(
            {"conftest.py": ASKING, "pytest.ini": "[pytest]\naddopts = -n 2"}, id="own-command"
        ),
    ],
)
def test_a_project_that_speaks_to_those_plugins_is_read_all_the_same(called, changes):
    done = called(changes)
    assert (done.returncode, READ in done.stderr, done.stdout) == (2, True, ""), done.stderr


def test_what_a_project_prints_is_printed_once(called):
    done = called({"conftest.py": "print('read')"})
    assert (done.stdout, READ in done.stderr) == ("read\n", True)


@pytest.mark.parametrize(
    ("changes", "said", "code"),
    [
        pytest.param(
            {"pytest.ini": "[pytest]\naddopts = --none-such"},
            "unrecognized arguments: --none-such",
            4,
            id="unknown-option",
        ),
        pytest.param(
            {"pytest.ini": "[pytest]\nbatchgate_samples = few"},
            "batchgate_samples: expected a number, none below 0, found few",
            4,
            id="wrong-setting",
        ),
        pytest.param(
            {"pytest.ini": "[pytest]\naddopts = --pg-versions=all"},
            "--pg-versions: expected throw-away servers alone, found --dsn",
            4,
            id="our-plugins-own-command",
        ),
        pytest.param(
            {"conftest.py": "raise RuntimeError('it is broken')"},
            "RuntimeError: it is broken",
            4,
            id="broken-conftest",
        ),
        pytest.param(
            {"sql/01_add_orders/migration.sql": "select 1;"},
            "sql/01_add_orders/migration.sql",
            4,
            id="wrong-suite",
        ),
    ],
)
def test_what_is_wrong_is_said_once(called, changes, said, code):
    done = called(changes)
    assert (done.returncode, done.stderr.count(said)) == (code, 1), done.stderr
