"""`batchgate report` draws the page that the run left, from its report.json and nothing else."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click
import pytest
import runs
from click.testing import CliRunner

from batchgate.cli import main
from batchgate.errors import SuiteError
from batchgate.outcomes.document import document_of, write_document
from batchgate.outcomes.reading import read_document
from batchgate.outcomes.restoring import comparison_of, problem_of
from batchgate.outcomes.summary import summary_of
from batchgate.report.page import draw_strictly
from batchgate.report.redraw import draw_page
from batchgate.run import TestResult
from batchgate.verdict import judge

ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-c", "from batchgate.cli import main; main(prog_name='batchgate')")
# When pytest-html wrote it, and how long the pytest around it took; neither is shown.
OWN = (r"Report generated on .* at [\d:]+ by", r'<p class="run-count">.*</p>')
MIXED = """\
import pytest

def test_passes():
    pass

def test_fails():
    print("what it printed \\x1b[31m")
    assert "<b>" == "</script>"

@pytest.fixture
def broken():
    raise OSError("no such thing")

def test_breaks(broken):
    pass

@pytest.mark.skip(reason="not today")
def test_is_skipped():
    pass
"""


def as_drawn(page):
    for pattern in OWN:
        page, count = re.subn(pattern, "", page)
        assert count == 1
    return page


def call(*arguments, cwd, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def invoke(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def report(tmp_path):
    """Write the report.json of a run that holds each state, and return where it is."""
    made = runs.everything()
    path = tmp_path / "reports/report.json"
    write_document(document_of(made, judge(made), runs.about()), path)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="all"),
        pytest.param(("gates", "scenarios", "--compare=reports/report.json"), id="compared"),
        pytest.param(("gates", "-k", "nothing"), id="nothing ran"),
    ],
)
def test_the_page_is_the_one_that_the_run_left(project, pytester, tmp_path, arguments):
    changes = {
        "scenarios/test_mixed.py": MIXED,
        "gates/01_orders_have_currency.red.sql": "select 1;",
    }
    project(changes, "gates", page=True)
    project(changes, *arguments, page=True)
    reports = pytester.path / "reports"
    left = (reports / "report.html").read_text(encoding="utf-8")
    (tmp_path / "report.json").write_bytes((reports / "report.json").read_bytes())
    ended = call("report", "report.json", "--summary", "again.md", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "page: report.html\nsummary: again.md\n"
    assert (tmp_path / "again.md").read_bytes() == (reports / "summary.md").read_bytes()
    again = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert as_drawn(again) == as_drawn(left)
    assert "test_breaks" in again or "nothing" in arguments


def test_another_report_draws_another_page(report):
    document = json.loads(report.read_text(encoding="utf-8"))
    drawn = as_drawn(draw_page(document))
    assert as_drawn(draw_page(document)) == drawn
    document["gates"][0]["seconds"] += 60
    assert as_drawn(draw_page(document)) != drawn


def test_neither_a_suite_nor_settings_nor_plugins_of_others_matter(report):
    folder = report.parent
    expected = as_drawn(draw_page(json.loads(report.read_text(encoding="utf-8"))))
    (folder / "conftest.py").write_text("raise RuntimeError('imported')\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --nosuch\ninitial_sort = duration\n")
    (folder / "test_it.py").write_text("raise RuntimeError('collected')\n")
    (folder / "broken.py").write_text("raise RuntimeError('loaded')\n")
    (folder / "temporary").mkdir()
    ended = call(
        *("report", "report.json"),
        cwd=folder,
        PYTEST_ADDOPTS="--nosuch",
        PYTEST_PLUGINS="broken",
        PYTHONPATH=f"{folder}:{ROOT}",
        TMPDIR=str(folder / "temporary"),
        PATH="",
        BATCHGATE_DSN="host=nowhere",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert as_drawn((folder / "report.html").read_text(encoding="utf-8")) == expected
    assert not list((folder / "temporary").iterdir())
    assert sorted(path.name for path in folder.glob("*.*")) == [
        *("broken.py", "conftest.py", "pytest.ini", "report.html", "report.json", "test_it.py")
    ]


def test_the_page_goes_where_it_is_told_and_replaces_what_is_there(report):
    page = report.parent / "deep/er/page.html"
    assert invoke("report", report, "--output", page).output == f"page: {page}\n"
    first = page.read_text(encoding="utf-8")
    assert "Do not merge" in first
    page.write_text("x" * 10_000_000)
    assert invoke("report", report, "-o", page).exit_code == 0
    assert as_drawn(page.read_text(encoding="utf-8")) == as_drawn(first)
    assert list(page.parent.iterdir()) == [page]
    assert not (report.parent / "report.html").exists()


def test_nothing_is_replaced_where_the_page_cannot_be_drawn(report, monkeypatch):
    def breaks(_):
        raise RuntimeError("drawing broke")

    page = report.with_name("report.html")
    page.write_text("the last page")
    monkeypatch.setattr("batchgate.report.page.page_of", breaks)
    ended = invoke("report", report)
    assert isinstance(ended.exception, RuntimeError)
    assert page.read_text() == "the last page"


# Reports that are not as they should be.

NOT_A_REPORT = "expected the report of an earlier run, found"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, f"{NOT_A_REPORT} no file", id="missing"),
        pytest.param("{", f"{NOT_A_REPORT} no JSON", id="half"),
        pytest.param("[1]", "expected a report of batchgate, found other JSON", id="other"),
        pytest.param(
            '{"format": "batchgate-report", "schema_version": 99}',
            "expected a report of version * or older, found 99",
            id="newer",
        ),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, text, said, matches):
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    ended = call("report", path, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert matches(f"Error: {path}: {said}*", ended.stderr.splitlines())
    assert "  fix: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda document: document.pop("figures"), id="no figures"),
        pytest.param(lambda document: document.update(tests=[{"id": 1}]), id="half a test"),
        pytest.param(lambda document: document["gates"][0].pop("number"), id="half a gate"),
        pytest.param(lambda document: document["gates"][0].update(state="?"), id="no state"),
        pytest.param(lambda document: document["verdict"].update(outcome="?"), id="no verdict"),
        pytest.param(lambda document: document["verdict"].update(outcome="clear"), id="made good"),
        pytest.param(lambda document: document["about"].pop("python"), id="half of about"),
        pytest.param(lambda document: document["batches"][0].update(checks=[1]), id="no check"),
    ],
)
def test_a_report_that_was_edited_is_refused(report, damage):
    document = json.loads(report.read_text(encoding="utf-8"))
    damage(document)
    report.write_text(json.dumps(document))
    ended = invoke("report", report)
    assert ended.exit_code == 4
    assert "expected a report of version" in ended.output
    assert "fix: Take the file as batchgate wrote it" in ended.output


def test_a_report_that_is_a_folder_is_refused(tmp_path):
    ended = invoke("report", tmp_path)
    assert (ended.exit_code, "Is a directory" in ended.output) == (4, True)


def test_a_page_that_cannot_be_written_is_said(report):
    (report.parent / "report.html").mkdir()
    ended = invoke("report", report)
    assert ended.exit_code == 4
    assert "report.html: expected to write it, found: Is a directory" in ended.output
    (report.parent / "file").touch()
    ended = invoke("report", report, "-o", report.parent / "file/page.html")
    assert ended.exit_code == 4
    assert "expected to write it, found: " in ended.output


@pytest.mark.parametrize("option", ["--output", "--summary"])
@pytest.mark.parametrize("path", ["-", "report.json", "../reports/report.json"])
def test_nothing_takes_the_place_of_the_report(report, option, path, monkeypatch):
    monkeypatch.chdir(report.parent)
    before = report.read_bytes()
    ended = invoke("report", "report.json", option, path)
    assert ended.exit_code == 2
    assert f"{option}: expected a file of its own" in ended.output
    assert report.read_bytes() == before


def test_a_summary_does_not_take_the_place_of_the_page(report):
    ended = invoke("report", report, "--summary", report.with_name("report.html"))
    assert ended.exit_code == 2
    assert not report.with_name("report.html").exists()


def places_in(value, *at):
    """Yield the way to each value, to one of those that lie alike."""
    inner = value.items() if isinstance(value, dict) else list(enumerate(value))[:1]
    for name, each in inner:
        yield (*at, name)
        if isinstance(each, dict | list):
            yield from places_in(each, *at, name)


OTHER = {str: 7, bool: "no", int: "7", float: "7", list: 7, dict: 7, type(None): {"a": [None]}}


def test_a_value_of_another_type_is_refused_or_draws_no_worse_than_nothing(report):
    sound = report.read_text(encoding="utf-8")
    refused = set()
    for place in places_in(json.loads(sound)):
        document = json.loads(sound)
        part = document
        for name in place[:-1]:
            part = part[name]
        part[place[-1]] = OTHER[type(part[place[-1]])]
        report.write_text(json.dumps(document))
        try:
            read = read_document(report)
        except SuiteError:
            refused.add(place[-1])
            continue
        if problem_of(read):
            refused.add(place[-1])
        else:
            draw_strictly(read), summary_of(read, comparison_of(read)).encode()
    assert refused > {"seconds", "count", "sample", "lag", "tests", "text", "history", "at"}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda document: document["gates"][0].update(seconds="slow"), id="a time"),
        pytest.param(lambda document: document["about"].update(seconds=1e308), id="too large"),
        pytest.param(lambda document: document["about"].update(seconds=float("nan")), id="NaN"),
        pytest.param(lambda document: document["tests"][0].update(text=["a"]), id="a text"),
        pytest.param(
            lambda document: document["figures"].update(tests={"passed": "7"}), id="count"
        ),
        pytest.param(
            lambda document: document["gates"][0].update(
                sample={"columns": ["id"], "rows": [["1"], ["2", "3"]]}
            ),
            id="a row of more columns",
        ),
        pytest.param(lambda document: document["about"].pop("limits"), id="half for the summary"),
    ],
)
def test_values_that_are_none_of_ours_are_refused_without_a_trace(report, damage):
    document = json.loads(report.read_text(encoding="utf-8"))
    damage(document)
    report.write_text(json.dumps(document))
    ended = invoke("report", report, "--summary", report.with_name("again.md"))
    assert (ended.exit_code, "  fix: " in ended.output) == (4, True)
    assert not list(report.parent.glob("*.html")) + list(report.parent.glob("*.md"))


def test_fields_that_a_later_version_adds_are_left_alone(report):
    document = json.loads(report.read_text(encoding="utf-8"))
    document["since"] = {"previous": "then", "changes": [{"kind": "count", "text": "more"}]}
    report.write_text(json.dumps(document))
    drawn = as_drawn(draw_page(read_document(report)))
    check = document["batches"][0]["checks"][0]
    parts = [document, document["about"], document["gates"][0], document["batches"][0], check]
    parts += [document["since"]["changes"][0], document["batches"][0]["applied"]]
    parts += [check["particulars"][name][0] for name in ("changes", "locks", "mutants", "legs")]
    for part in parts:
        part["added"] = "later"
    report.write_text(json.dumps(document))
    assert invoke("report", report).exit_code == 0
    assert as_drawn(report.with_name("report.html").read_text(encoding="utf-8")) == drawn


# Reports of earlier versions.

ADDED = ("tests", "history", "since", "statements")


def test_an_older_report_draws_what_it_holds_and_says_what_it_does_not(report):
    document = json.loads(report.read_text(encoding="utf-8"))
    for name in ADDED:
        document.pop(name, None)
    document["about"].pop("environment")
    for gate in document["gates"]:
        gate["statement"] = None
    for batch in document["batches"]:
        batch.pop("files")
        for check in batch["checks"]:
            check.pop("particulars")
    report.write_text(json.dumps(document))
    ended = invoke("report", report)
    assert (ended.exit_code, ended.exception) == (0, None)
    page = report.with_name("report.html").read_text(encoding="utf-8")
    assert "Do not merge" in page
    assert "counts 29 tests and names none of them" in page
    assert "could not be drawn" not in page


def test_ten_thousand_tests_make_a_page_of_one_megabyte():
    tests = [
        TestResult(
            id=f"tests/test_{n % 40}.py::test_is_one_of_many[{n}]",
            outcome="failed" if n % 50 == 0 else "passed",
            said="failed" if n % 50 == 0 else "passed",
            when="call",
            seconds=0.01,
            text="E   broken\n" + "line of a long message\n" * 200 if n % 50 == 0 else "",
        )
        for n in range(10_000)
    ]
    made = runs.run(tests=tests, counts={"passed": 9_800, "failed": 200})
    page = draw_page(document_of(made, judge(made), runs.about()))
    assert len(page.encode()) < 1_500_000


# The command itself.


def test_the_command_is_installed_and_teaches():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    module, _, name = project["scripts"]["batchgate"].partition(":")
    assert isinstance(getattr(import_module(module), name), click.Group)
    told = invoke("--help").output
    assert re.search("^  report +Draw the page", told, re.MULTILINE)
    assert invoke("--version").output == f"batchgate {version('batchgate')}\n"
    told = invoke("report", "--help").output
    for words in ("Exit codes:", "report.json", "Examples:", "--output PAGE"):
        assert words in told
    for code in ("0", "2", "4"):
        assert re.search(rf"^  +{code}  \w", told, re.MULTILINE)


@pytest.mark.parametrize("arguments", [("report",), ("nosuch",), ("report", "a", "--nosuch")])
def test_a_wrong_call_is_told_from_a_wrong_file(arguments):
    ended = invoke(*arguments)
    assert ended.exit_code == 2
    assert "Usage: " in ended.output


def test_the_commands_and_their_options_are_in_the_docs():
    docs = (ROOT / "docs/command.md").read_text(encoding="utf-8")
    docs += (ROOT / "README.md").read_text(encoding="utf-8")
    context = click.Context(main)
    names = main.list_commands(context)
    assert len(names) == 6
    for name in names:
        command = main.get_command(context, name)
        assert f"batchgate {name}" in docs
        longest = {max(option.opts, key=len) for option in command.params}
        options = {option for option in longest if option.startswith("--")}
        assert options <= set(re.findall(r"--[a-z][a-z-]*", docs)), name
