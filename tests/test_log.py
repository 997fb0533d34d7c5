"""The test log: every test is there once, as text, in its own words, however many there are."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
import runs
from browser import PART, Browser, missing
from waits import absent

from batchgate.outcomes.document import document_of
from batchgate.report.entries import ROWS, folds_of, log_of
from batchgate.report.log import draw_log
from batchgate.report.redraw import draw_page
from batchgate.report.rows import HEADER, labels_of, rows_of
from batchgate.run import TestResult
from batchgate.verdict import judge

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;{{7*7}}\u202egnp\x07"
)
FAILURE = """\
    def test_it():
>       assert 1 == 2
E       assert 1 == 2

tests/test_it.py:2: AssertionError
------------------------------ Captured stdout call ------------------------------
E       what was printed"""


def ended(number=0, outcome="passed", said="", **more):
    values = {"when": "call", "seconds": 0.01, "text": "", **more}
    name = values.pop("id", f"tests/test_it.py::test_{number:05d}")
    return TestResult(id=name, outcome=outcome, said=said or outcome, **values)


def failed(number=0, text=FAILURE, **more):
    return ended(number, "failed", text=text, **more)


def document(*tests):
    counts = {}
    for each in tests:
        counts[each.outcome] = counts.get(each.outcome, 0) + 1
    run = runs.run(tests=tests, counts=counts)
    return json.loads(json.dumps(document_of(run, judge(run), runs.about())))


def log(*tests):
    return log_of(runs.run(tests=tests))


class Words(HTMLParser):
    """The tags of drawn HTML, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def blob_of(page):
    (raw,) = re.findall(r'data-jsonblob="([^"]*)"', page)
    return json.loads(unescape(raw))


def rows_in(page):
    return [row for rows in blob_of(page)["tests"].values() for row in rows]


def names_in(page):
    return [Words(row["resultsTableRow"][1]).text for row in rows_in(page)]


MIXED = (
    ended(1),
    failed(2),
    ended(3, said="warned"),
    ended(4, "error", when="setup", text="E   OSError: no"),
    ended(5, said="not exercised"),
    ended(6, "skipped", text="Skipped: not today"),
    ended(7, "xfailed", text="expected to fail: known\nE   assert 0"),
    ended(8, "xpassed"),
    ended(9, "failed", said="no result", text="gate 1: expected a result, found none"),
    ended(10, "rerun", text="E   assert 0"),
)


def test_each_outcome_keeps_its_own_word_and_tone():
    told = {each.place + 1: (each.word, str(each.tone), each.kind) for each in log(*MIXED).table}
    assert told == {
        1: ("passed", "good", "passed"),
        2: ("failed", "bad", "failed"),
        3: ("warned", "warn", "rerun"),
        4: ("error", "bad", "error"),
        5: ("not exercised", "idle", "rerun"),
        6: ("skipped", "idle", "skipped"),
        7: ("failed as expected", "idle", "xfailed"),
        8: ("passed unexpectedly", "warn", "xpassed"),
        9: ("no result", "lost", "failed"),
        10: ("run again", "idle", "rerun"),
    }


def test_the_boxes_count_the_rows_and_name_what_is_in_them():
    table = log(*MIXED, ended(11), ended(12)).table
    labels = labels_of(table)
    assert sum(each["value"] for each in labels.values()) == len(table) == 12
    assert labels["passed"] == {"label": "passed", "value": 3}
    assert labels["failed"] == {"label": "failed or no result", "value": 2}
    assert labels["rerun"] == {"label": "warned or not exercised or run again", "value": 3}


def test_a_row_has_as_many_cells_as_there_are_headers_and_is_sorted_by_what_it_means():
    quick, slow = failed(1, seconds=0.9), failed(2, seconds=75.0)
    rows = rows_of(log(ended(0), quick, slow).table)
    assert {len(row["resultsTableRow"]) for row in rows} == {len(HEADER)}
    assert [int(row["duration"].split()[0]) for row in rows] == [10_000, 900_000, 75_000_000]
    assert [Words(row["resultsTableRow"][2]).text for row in rows][2] == "1 min 15 s"
    assert sorted(rows, key=lambda row: row["testId"]) == rows
    assert [row["rank"] for row in rows] == ["6 passed", "1 failed", "1 failed"]


@pytest.mark.parametrize(
    ("outcome", "text", "headline"),
    [
        pytest.param("failed", FAILURE, "assert 1 == 2", id="assertion"),
        pytest.param("failed", "gate 1: expected 0\n  at: x", "gate 1: expected 0", id="ours"),
        pytest.param(
            "failed",
            "E   KeyError: 1\n\nThe above was the cause\n\nE   ValueError: 2\nE   more",
            "ValueError: 2",
            id="chain",
        ),
        pytest.param("failed", "E   assert a\nE\nE     - b", "assert a", id="difference"),
        pytest.param("xfailed", "expected to fail: x\nE   y", "expected to fail: x", id="expected"),
        pytest.param("error", "\n  one line  \n", "one line", id="one line"),
        pytest.param("failed", "x" * 500, "x" * 239 + "…", id="long"),
        pytest.param("failed", "", "", id="nothing"),
    ],
)
def test_the_line_that_says_most_stands_beside_the_name(outcome, text, headline):
    (entry,) = log(ended(1, outcome, text=text)).table
    assert entry.headline == headline


def test_what_is_one_line_is_not_told_twice():
    (entry,) = log(failed(text="gate 1: expected 0 rows, found 2\n")).table
    assert (entry.headline, entry.text) == ("gate 1: expected 0 rows, found 2", "")


def test_of_few_tests_all_stand_in_the_table():
    tests = [ended(number) for number in range(ROWS)]
    assert (len(log(*tests).table), len(log(*tests).listed)) == (ROWS, 0)


@pytest.mark.parametrize("bad", [0, 3, ROWS, ROWS + 50])
def test_of_many_tests_the_table_holds_what_did_not_pass_and_no_test_is_lost(bad):
    total = ROWS + 100
    tests = [failed(n) if n >= total - bad else ended(n) for n in range(total)]
    made = log(*tests)
    assert len(made.table) == min(bad, ROWS)
    assert not [each for each in made.table if each.passed]
    places = [each.place for each in (*made.table, *made.listed)]
    assert sorted(places) == list(range(total))
    drawn = draw_log(document(*tests))
    listed = Words(drawn.rpartition("</noscript>")[2].partition("<script>")[0])
    assert len(re.findall(r"test_\d{5}", listed.text)) == len(made.listed)


def test_the_worst_stands_in_the_table_where_it_has_no_room_for_all():
    tests = [ended(n, "skipped") for n in range(ROWS)] + [failed(ROWS)]
    made = log(*tests)
    assert made.table[-1].place == ROWS
    assert [each.place for each in made.listed] == [ROWS - 1]


def test_files_are_listed_with_counts_and_time_those_with_failures_first():
    def of(file, *given):
        return [ended(id=f"{file}::test_{n}", **each) for n, each in enumerate(given)]

    tests = [
        *of("b.py", {}, {"outcome": "skipped"}),
        *of("a.py", {}, {"outcome": "failed"}, {}),
    ]
    first, second = folds_of(log(*tests).table)
    assert (first.file, first.said, str(first.tone)) == ("a.py", "1 failed, 2 passed", "bad")
    assert (second.file, second.said, str(second.tone)) == ("b.py", "1 skipped, 1 passed", "idle")
    assert first.seconds == pytest.approx(0.03)
    assert [each.name for each in first.others] == ["test_1"]
    assert [each.name for each in first.passes] == ["test_0", "test_2"]


def test_what_is_long_is_cut_and_said_to_be():
    (entry,) = log(failed(text="line\n" * 10_000)).table
    assert len(entry.text) < 21_000
    assert re.search(r"-- … [\d ]+ more bytes are not kept here$", entry.text)


def test_where_all_say_too_much_headlines_have_to_do_and_the_page_says_so():
    tests = [failed(number, text=f"E   broken {number}\n" + "x" * 19_000) for number in range(30)]
    made = log(*tests)
    assert made.cut > 0
    assert sum(bool(each.text) for each in made.table) == 30 - made.cut
    assert [each.headline for each in made.table] == [f"broken {n}" for n in range(30)]
    assert (
        f"What {made.cut} of them said has no room here" in Words(draw_log(document(*tests))).text
    )


def test_a_report_that_names_no_test_says_so_and_one_without_tests_does_too():
    older = document(ended(1), failed(2))
    del older["tests"]
    assert "counts 2 tests and names none of them" in Words(draw_log(older)).text
    assert "No test ran." in Words(draw_log(document())).text


def test_hostile_names_and_messages_stay_text():
    test = failed(id=f"{HOSTILE}::{HOSTILE}", text=f"E   {HOSTILE}\n{HOSTILE}")
    many = [ended(n) for n in range(ROWS)]
    for tests in ([test], [failed(id="a", when=HOSTILE, text=HOSTILE), *[test] * ROWS, *many]):
        page = draw_page(document(*tests))
        drawn = Words(page)
        assert [attrs for tag, attrs in drawn.tags if tag == "img"] == [{"src": ""}]
        assert "<script>alert" not in page
        for row in rows_in(page):
            cells = Words("".join(row["resultsTableRow"]))
            assert {tag for tag, _ in cells.tags} <= {
                *("td", "button", "bdi", "span", "wbr", "p", "small")
            }
        assert HOSTILE.replace("\u202e", "\\u202e").replace("\x07", "\\x07") in drawn.text
        assert "\u202e" not in page
        assert "\x07" not in page


def test_the_table_is_told_apart_from_what_pytest_html_makes_of_itself():
    page = draw_page(document(ended(1), failed(2)))
    assert names_in(page) == [
        f"tests/test_it.py::{name}" for name in ("test_00001", "test_00002assert 1 == 2")
    ]
    assert page.count('class="sortable"') == len(HEADER)
    assert blob_of(page)["initialSort"] == "rank"


# The same in a run, where pytest-html and other plugins have their say, too.

TESTS = """\
import pytest
from pytest_html import extras as more

@pytest.mark.parametrize("value", ["\\\\N", "\\\\x", "<script>alert(1)</script>"])
def test_of_an_id(value, extras):
    extras.append(more.html("<script>alert(2)</script>"))
    extras.append(more.url("javascript:alert(3)"))

def test_fails():
    assert "<b>" == 1

@pytest.mark.skip(reason="not today")
def test_is_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_is_known():
    assert 0
"""
OTHERS = """\
def pytest_html_results_table_header(cells):
    cells.insert(1, "<th>Another</th>")

def pytest_html_results_table_row(report, cells):
    cells.insert(1, "<td>another</td>")
    cells.append("<td>and more than there are headers</td>")

def pytest_html_results_summary(prefix):
    prefix.append("<p>a line of the project</p>")
"""


def page_of(pytester):
    return (pytester.path / "reports/report.html").read_text(encoding="utf-8")


def test_what_other_plugins_add_to_the_table_costs_no_page(project, pytester):
    ini = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true"
    changes = {
        "scenarios/test_ids.py": TESTS,
        "conftest.py": OTHERS,
        "pytest.ini": f"[pytest]\n{ini}\n",
    }
    result = project(changes, "scenarios", page=True)
    result.assert_outcomes(passed=3, failed=1, skipped=1, xfailed=1)
    page = page_of(pytester)
    told = dict(zip(names_in(page), rows_in(page), strict=True))
    assert len(told) == 6
    assert "alert(2)" not in page
    assert "javascript:" not in page
    assert "<script>alert" not in page
    assert "<p>a line of the project</p>" in page
    ids = [name for name in told if "test_of_an_id" in name]
    assert "scenarios/test_ids.py::test_of_an_id[<script>alert(1)</script>]" in ids
    assert any(name.endswith("test_is_skippedSkipped: not today") for name in told)
    assert any(name.endswith("test_is_knownexpected to fail: known") for name in told)


def test_workers_leave_the_rows_in_the_order_of_one_process(project, pytester):
    changes = {"scenarios/test_ids.py": TESTS}
    project(changes, "scenarios", "gates", page=True)
    alone = names_in(page_of(pytester))
    project(changes, "scenarios", "gates", "-n", "2", alone=True)
    assert names_in(page_of(pytester)) == alone
    assert len(alone) > 6


LOOKS = """\
from pathlib import Path

def test_first():
    pass

def test_looks():
    page = Path("reports/report.html").read_text()
    assert "No verdict" in page and "This run has not finished." in page
    assert "blocked" not in page and "test_first" not in page
"""


def test_a_page_that_is_asked_for_after_each_test_has_no_verdict(project, pytester):
    changes = {
        "scenarios/test_looks.py": LOOKS,
        "pytest.ini": "[pytest]\ngenerate_report_on_test = true\n",
    }
    project(changes, "scenarios", page=True).assert_outcomes(passed=2)
    assert "This run has not finished." not in page_of(pytester)
    assert len(names_in(page_of(pytester))) == 2


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        pytest.param("batchgate.report.page.page_of", "test_00002", id="sections"),
        pytest.param("batchgate.report.log.log_of", 'id="verdict-word"', id="log"),
        pytest.param("batchgate.report.hooks.run_of", "what went wrong while drawing", id="all"),
    ],
)
def test_an_exception_while_drawing_costs_only_what_could_not_be_drawn(monkeypatch, broken, kept):
    def breaks(*_):
        raise RuntimeError("drawing broke")

    sound = document(ended(1), failed(2))
    monkeypatch.setattr("batchgate.report.redraw.draw_strictly", lambda document: None)
    monkeypatch.setattr(broken, breaks)
    page = draw_page(sound)
    assert "could not be drawn" in page
    assert "RuntimeError: drawing broke" in page
    assert re.search(kept, page)


# What its script does, in a browser.


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if lacking := missing():
        absent(PART, lacking)
    started = Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture
def tab(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(draw_page(document(*MIXED, failed(11))), encoding="utf-8")
    opened = browser.open(page)
    yield opened
    assert opened.errors() == []


def click(tab, selector, number=0):
    tab.ask("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, number)


def shown(tab, selector):
    return tab.ask(
        "[...document.querySelectorAll(arguments[0])].filter(isVisible).length", selector
    )


def test_a_row_that_is_open_stays_so_while_the_table_is_sorted_and_filtered(tab):
    assert shown(tab, "#results-table pre") == 0
    click(tab, ".col-result button", 1)
    click(tab, ".col-testId bdi", 2)
    assert shown(tab, "#results-table pre") == 2
    assert tab.text("#results-table").count("what was printed") == 2
    for action in ("th[data-column-type='duration'] button", "input[data-test-result='passed']"):
        click(tab, action)
        assert shown(tab, "#results-table pre") == 2
    click(tab, "#hide_all_details")
    assert shown(tab, "#results-table pre") == 0


BOX = """\
[...document.querySelectorAll('.filters label')]
  .find((each) => each.innerText === arguments[0])
  .click()"""


def test_a_box_shows_and_hides_as_many_rows_as_it_counts(tab):
    labels = tab.text(".filters label:not([hidden])").splitlines()
    assert len(labels) == 7
    rows = tab.ask("rowsOfLog()")
    for label in labels:
        tab.ask(BOX, label)
        assert rows - tab.ask("rowsOfLog()") == int(label.split()[0]), label
        tab.ask(BOX, label)
        assert tab.ask("rowsOfLog()") == rows


def test_the_table_opens_with_the_worst_and_is_sorted_either_way(tab):
    words = "[...document.querySelectorAll('.col-result')].map((each) => each.innerText.trim())"
    first = tab.ask(words)
    assert first[:4] == ["Error", "Failed", "Failed", "No result"]
    assert first[-1] == "Passed"
    assert tab.ask("document.querySelector('th').ariaSort") == "ascending"
    click(tab, "th button")
    assert tab.ask(words) == first[::-1]
    assert tab.ask("document.querySelector('th').ariaSort") == "descending"


def test_on_paper_every_message_is_there(tab):
    tab.ask("dispatchEvent(new Event('beforeprint'))")
    assert shown(tab, "#results-table pre") == tab.ask(
        "document.querySelectorAll('#results-table button[aria-expanded]').length"
    )
    tab.ask("dispatchEvent(new Event('afterprint'))")
    assert shown(tab, "#results-table pre") == 0
