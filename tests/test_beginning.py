"""A run that is killed leaves no verdict behind, and one that never begins leaves the last one."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from waits import until

from batchgate.report.unfinished import draw_unfinished

PAGE, SUMMARY, REPORT = "reports/report.html", "reports/summary.md", "reports/report.json"
LAST = {PAGE: "the last page", SUMMARY: "the last summary", REPORT: "the last report"}
WAITS = """\
import signal
from pathlib import Path

def test_waits():
    Path("told").touch()
    signal.pause()

def test_comes_after():
    pass
"""
PASSES = "def test_passes():\n    pass\n"
LOOKS = """\
from pathlib import Path

def test_looks():
    assert "No verdict" in Path("reports/report.html").read_text()
"""


def read(pytester, path):
    return (pytester.path / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_run_that_is_killed_leaves_a_page_without_a_verdict(project, pytester, workers):
    project({**LAST, "scenarios/test_waits.py": WAITS}, "--co", "-q")
    told = pytester.path / "told"
    before = datetime.now(UTC).replace(microsecond=0)
    process = subprocess.Popen(
        (sys.executable, "-m", "pytest", "scenarios", *workers),
        cwd=pytester.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # A run that could not begin says nothing, ever.
    until(lambda: told.exists() or process.poll() is not None, "a run or its end")
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    page = read(pytester, PAGE)
    assert "This run has not finished." in page
    assert "the last page" not in page
    (began,) = re.findall(r"It began at (.{19}) UTC\.", page)
    assert before <= datetime.fromisoformat(f"{began}+00:00") <= datetime.now(UTC)
    assert read(pytester, SUMMARY).startswith("## No verdict\n")
    # It says itself when it was written, and the next run is compared with it.
    assert read(pytester, REPORT) == "the last report"


def test_a_run_that_ends_has_its_own_page_again(project, pytester):
    result = project({**LAST, "scenarios/test_looks.py": LOOKS}, "scenarios", page=True)
    result.assert_outcomes(passed=1)
    for path in LAST:
        assert "This run has not finished" not in read(pytester, path)
        assert read(pytester, path) != LAST[path]


def test_a_page_without_a_verdict_stands_alone_and_its_words_stay_text():
    page = draw_unfinished("<script>alert(1)</script>\u202e", "<b>today</b>")
    assert "<script>" not in page
    assert "<b>today" not in page
    assert "\u202e" not in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    assert 'class="bg-verdict warn"' in page


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        pytest.param(("--co",), {}, id="only listed"),
        pytest.param(("gates/nosuch.sql",), {}, id="called wrongly"),
        pytest.param(("--pg-bin=nowhere",), {}, id="no server"),
        pytest.param((), {"sql/03_x/migration.sql": "-- nokey: x\n"}, id="wrong files"),
    ],
)
def test_a_run_that_does_not_begin_leaves_the_last_verdict(project, pytester, arguments, changes):
    project({**LAST, **changes}, *arguments, alone="--pg-bin=nowhere" in arguments, page=True)
    assert {path: read(pytester, path) for path in LAST} == LAST


def test_what_cannot_be_collected_ends_in_a_page_of_its_own(project, pytester):
    changes = {**LAST, "scenarios/test_x.py": "import nosuch\n"}
    project(changes, "scenarios", "gates", page=True)
    assert "the last page" not in read(pytester, PAGE)
    assert "This run has not finished." not in read(pytester, PAGE)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_page_that_cannot_be_written_is_said_before_anything_runs(project, pytester, workers):
    changes = {"scenarios/test_passes.py": PASSES, "page.html/x": ""}
    result = project(changes, "scenarios", "--html=page.html", *workers, page=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: */page.html: expected to write the page, found: Is a directory", "  fix: *"]
    )
    result.stdout.no_fnmatch_line("*1 passed*")
    result.stderr.no_fnmatch_line("*Traceback*")


def test_a_page_of_another_name_is_replaced_as_well(project, monkeypatch):
    monkeypatch.setenv("PLACE", "out")
    looks = LOOKS.replace("reports/report.html", "out/page.html")
    changes = {"scenarios/test_looks.py": looks, "out/page.html": "the last page"}
    project(changes, "scenarios", "--html=$PLACE/page.html", page=True).assert_outcomes(passed=1)


def test_a_folder_of_reports_that_refuses_a_summary_does_not_stop_the_run(project, pytester):
    changes = {"scenarios/test_passes.py": PASSES, "reports": "no folder"}
    project(changes, "scenarios", page=True).assert_outcomes(passed=1)
