"""However a run ends, none of its outcomes says more than what was run and passed."""

import json

import pytest

PAGE = "reports/report.html"
UNCOLLECTED = {"test_bad.py": "import nothing_of_that_name\n"}
# As a plugin does that wants a coverage.
FAILS = """\
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    result = yield
    session.testsfailed += 1
    return result
"""
# As plugins do that run a test again: what failed is reported in a word of its own.
RUNS_AGAIN = """\
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for again in (True, True, False):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        again = again and any(report.failed for report in reports)
        for report in reports:
            if again and report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        if not again:
            break
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""
FOUND = {"scenarios/sample/01.sql": "insert into orders values (1, null, 'x');"}
SECOND_TRY = """\
tries = []

def test_needs_a_second_try():
    tries.append(1)
    assert len(tries) > 1
"""
FAILS_ONCE_MORE = "def test_fails():\n    assert 0\n"


def report(pytester):
    return json.loads((pytester.path / "reports/report.json").read_text())


def outcomes(pytester):
    """Return the verdict by what machines read, and whether page and summary say its words."""
    given = report(pytester)["verdict"]
    page = (pytester.path / PAGE).read_text()
    summary = (pytester.path / "reports/summary.md").read_text()
    assert f"## {given['text']}\n" in summary
    assert given["text"] in page
    return given["outcome"], given["reason"]


@pytest.mark.parametrize("workers", [("-n0",), ("-n2",)], ids=["alone", "workers"])
def test_a_file_that_could_not_be_collected_leaves_no_verdict(project, pytester, workers):
    asked = ("gates", "test_bad.py", "--continue-on-collection-errors", *workers)
    assert project(UNCOLLECTED, *asked, alone=True).ret == 1
    assert outcomes(pytester) == ("none", "1 file could not be collected")


def test_a_run_that_a_plugin_calls_failed_leaves_no_verdict(project, pytester):
    assert project({"conftest.py": FAILS}, "gates", page=True).ret == 1
    assert outcomes(pytester) == ("none", "pytest failed, and no test of it")
    assert project({"conftest.py": ""}, "gates", page=True).ret == 0
    assert outcomes(pytester)[0] == "clear"


def test_a_gate_that_was_run_again_counts_once(project, pytester):
    files = {**FOUND, "conftest.py": RUNS_AGAIN, "test_fails.py": FAILS_ONCE_MORE}
    assert project(files, "gates", "test_fails.py", page=True).ret == 1
    assert outcomes(pytester) == ("blocked", "blocked by 1 required gate, 1 other test")
    document = report(pytester)
    assert [(gate["state"], gate["count"]) for gate in document["gates"]] == [("failed", 1)]
    assert document["figures"]["tests"] == {"failed": 2, "passed": 1, "rerun": 4}
    assert [each["outcome"] for each in document["tests"]].count("rerun") == 4


def test_a_test_that_passed_when_it_was_run_again_is_said_to_have_been(project, pytester):
    files = {"conftest.py": RUNS_AGAIN, "test_again.py": SECOND_TRY}
    assert project(files, "gates", "test_again.py", page=True).ret == 0
    assert outcomes(pytester)[0] == "clear"
    assert "1 run again" in (pytester.path / PAGE).read_text()


def test_a_run_that_a_test_ends_as_wrongly_called_leaves_its_own_outcomes(project, pytester):
    project({}, "gates", page=True)
    stops = "import pytest\n\ndef test_stops():\n    pytest.exit('enough', returncode=4)\n"
    assert project({"test_stops.py": stops}, "gates", "test_stops.py", alone=True).ret == 4
    assert outcomes(pytester) == ("none", "the run did not finish")
    assert report(pytester)["exit_code"] == 4


def test_a_run_in_which_nothing_was_chosen_says_that_no_test_ran(project, pytester):
    assert project({}, "gates", "-k", "nosuch", page=True).ret == 5
    assert outcomes(pytester) == ("none", "no test ran")
