"""However pytest is called, it finds the project, keeps the last page, and ends in order."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_plugin import SOUND_ITEMS

from batchgate.binaries import find_binaries
from batchgate.invocation import no_page
from batchgate.sigterm import end_in_order

ROOT = Path(__file__).parent.parent


@pytest.fixture
def programs() -> str:
    return str(find_binaries(explicit=None, explicit_source="").directory)


def test_the_folder_of_an_option_is_no_place_of_tests(project, programs):
    result = project({}, "-m", "gates", "--pg-bin", programs, "--strict-gates")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"batchgate: 2 batches, 1 gate, PostgreSQL * in {programs}"])


def test_starting_over_raises_no_warning_where_warnings_are_errors(programs):
    command = (sys.executable, "-m", "pytest", "--co", "-q", "--pg-bin", programs, "gates")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.OK, ended.stderr


def test_a_variable_that_leads_pytest_astray_is_refused(project, programs, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--pg-bin {programs}")
    result = project({})
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: PYTEST_ADDOPTS: expected --pg-bin=PATH in one word*"])


def test_an_option_is_relative_to_where_pytest_is_called(project, pytester, programs, monkeypatch):
    (pytester.path / "sql").mkdir()
    (pytester.path / "sql/programs").symlink_to(programs)
    monkeypatch.chdir(pytester.path / "sql")
    result = project({}, "--pg-bin=programs", "--co", "-q")
    assert result.ret == pytest.ExitCode.OK
    result = project({}, "--pg-bin=programs", "../gates")
    result.stdout.fnmatch_lines(["batchgate: *PostgreSQL * (--pg-bin) in */sql/programs"])


@pytest.mark.parametrize("option", ["--co", "--setup-plan", "--setup-only", "--fixtures"])
def test_what_runs_nothing_leaves_the_last_page(project, pytester, option):
    result = project({"reports/report.html": "the last run"}, option)
    assert result.ret == pytest.ExitCode.OK
    assert (pytester.path / "reports/report.html").read_text() == "the last run"


def test_a_call_that_is_wrong_leaves_the_last_page(project, pytester):
    result = project({"reports/report.html": "the last run"}, "gates/nosuch.sql", page=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (pytester.path / "reports/report.html").read_text() == "the last run"
    for line in ("page: *", "*Generated html report*"):
        result.stdout.no_fnmatch_line(line)
    assert project({}, "gates", page=True).ret == pytest.ExitCode.OK
    assert (pytester.path / "reports/report.html").read_text() != "the last run"


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        pytest.param({"reports": ""}, [], "*/reports is no folder", id="file-in-its-place"),
        pytest.param(
            {"reports/report.html/x": ""}, [], "*/report.html cannot be written", id="folder"
        ),
        pytest.param({}, ["-p", "no:metadata"], "*pytest-metadata, which is off", id="metadata"),
    ],
)
def test_where_no_page_can_be_written_a_line_says_so(project, changes, arguments, said):
    result = project(changes, "gates", *arguments, page=True)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"no page: {said}"])
    result.stdout.no_fnmatch_line("*page: reports*")


def test_a_folder_that_refuses_us_gets_no_page(pytestconfig, monkeypatch, tmp_path):
    assert no_page(pytestconfig, tmp_path / "reports/report.html") == ""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert no_page(pytestconfig, tmp_path / "reports/report.html") == (
        f"{tmp_path} cannot be written to"
    )


def test_a_folder_that_is_set_and_missing_stops_the_run(project):
    result = project({}, "-o", "batchgate_gates=checks")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: batchgate_gates: expected a folder, found none at checks"])


def test_a_project_is_found_through_a_link(project, pytester, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(pytester.path)
    for arguments in (
        [f"--rootdir={link}"],
        ["-c", f"{link}/pytest.ini"],
        ["-c", f"{link}/pytest.ini", f"{link}/sql", f"{link}/gates"],
        [f"--rootdir={link}", f"{link}"],
    ):
        result = project({}, *arguments, "--co", "-q")
        assert len([line for line in result.outlines if "::" in line]) == SOUND_ITEMS, arguments
    result = project({}, "-c", f"{link}/pytest.ini", f"{link}/gates")
    result.assert_outcomes(passed=2)


WAITING = """
import signal
from pathlib import Path

def test_waits(at_batch, batchgate_server):
    at_batch("01_add_orders")
    Path("told").write_text(batchgate_server.host)
    signal.pause()

def test_comes_after():
    Path("after").touch()
"""


def test_being_told_to_end_leaves_nothing(project, pytester):
    project({"scenarios/test_waits.py": WAITING}, "--co", "-q")
    told = pytester.path / "told"
    os.mkfifo(told)
    process = subprocess.Popen(
        (sys.executable, "-m", "pytest", "scenarios"),
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    home = Path(told.read_text()).parent
    assert home.is_dir()
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "told to end by SIGTERM" in said
    assert not home.exists()
    assert not (pytester.path / "after").exists()


def test_someone_elses_handler_is_left_alone(project):
    handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        project({}, "gates")
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_the_handler_goes_when_it_is_undone():
    ours = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        undo = end_in_order()
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
        undo()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, ours)
