"""The reviewer's page: true in every state, and text stays text."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from batchgate.findings import MASK, Level, Row, State
from batchgate.report.page import allowed_metadata, draw_row, draw_summary
from batchgate.report.promises import promised_by
from batchgate.report.proofs import Promised
from batchgate.report.words import grouped, sentence_of, visible
from batchgate.suite import Batch, Suite
from batchgate.verdict import (
    Application,
    CheckResult,
    GateResult,
    Run,
    TargetReport,
    Verdict,
    judge,
    time_text,
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;{{7*7}}\u202egnp"
VOID = {"meta", "br", "img", "input", "hr"}
FIRST, SECOND = "01_add_thing", "02_fill_thing"
OWED = ("migration.sql::applies", "rollback.sql::restores-schema")
PROMISED = (Promised(FIRST, 1, "Things exist.", OWED), Promised(SECOND, 2, "Full.", OWED))


class Drawn(HTMLParser):
    """What a browser would make of drawn HTML: its tags, ids, and visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open, f"closed but never opened: {tag}"
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if attrs.get("id")]

    def tone_of(self, place: str) -> str:
        classes = next(attrs["class"] for _, attrs in self.tags if attrs.get("id") == place)
        return str(classes).split()[-1]


def gate(number=1, state=State.PASSED, level=Level.REQUIRED, **more):
    defaults = {
        "name": f"{number:02d}_rule",
        "title": f"Title {number}",
        "path": f"gates/{number:02d}_rule.sql:9",
        "sentence": f"Statement {number} holds.",
        "seconds": 0.012,
        "count": 0 if state is State.PASSED else None,
        "fix": f"Repair {number}.",
        "fails": state is State.FAILED,
    }
    return GateResult(number=number, level=level, state=state, **{**defaults, **more})


def check(name=OWED[0], batch=FIRST, passed=True, **more):
    state = State.PASSED if passed else State.FAILED
    return CheckResult(batch=batch, check=name, seconds=0.1, **{"state": state, **more})


def applied(batch=FIRST, number=1, **more):
    return Application(
        batch=batch, number=number, summary="Things exist.", **{"seconds": 0.05, **more}
    )


def everything(**more):
    checks = [check(name, batch) for batch in (FIRST, SECOND) for name in OWED]
    run = {
        "gates": [gate()],
        "checks": checks,
        "applications": [applied(), applied(SECOND, 2)],
        "gates_in_suite": ["01_rule"],
        "required_in_suite": ["01_rule"],
        "counts": {"passed": 5},
    }
    return Run(**{**run, **more})


def drawn(run, promised=PROMISED, described="2 batches, 1 gate, PostgreSQL 18.6"):
    return Drawn(draw_summary(run, judge(run), described, promised))


def test_a_page_of_a_whole_run_is_green_and_says_its_figures():
    page = drawn(everything())
    assert page.tone_of("verdict") == "good"
    assert "No check blocks this merge" in page.text
    for figure in ("1/1 required gates pass", "2/2 batches clean", "5/5 tests pass"):
        assert figure in page.text
    assert "PostgreSQL 18.6" in page.text


WARNED = gate(2, State.WARNED, Level.INFORMATIONAL, count=3)


@pytest.mark.parametrize(
    ("run", "tone", "said"),
    [
        pytest.param(
            everything(gates=[gate(state=State.FAILED, count=2)], counts={"failed": 1}),
            "bad",
            "Gates fail",
            id="a required gate fails",
        ),
        pytest.param(
            everything(checks=[check(passed=False)], counts={"passed": 1, "failed": 1}),
            "bad",
            "Do not merge",
            id="a batch fails",
        ),
        pytest.param(everything(finished=False), "warn", "No verdict", id="interrupted"),
        pytest.param(Run(), "warn", "No verdict", id="nothing ran"),
        pytest.param(
            everything(gates=[], counts={"passed": 4}),
            "warn",
            "1 required gate not run",
            id="the required gate was deselected",
        ),
        pytest.param(
            everything(checks=[], counts={"passed": 1}),
            "idle",
            "the checks of 2 batches were not all run",
            id="no batch was checked",
        ),
        pytest.param(
            everything(checks=[check(OWED[0])]),
            "idle",
            "the checks of 2 batches were not all run",
            id="one check of four ran",
        ),
        pytest.param(
            everything(gates_in_suite=["01_rule", "02_rule"]),
            "idle",
            "1 gate not run",
            id="an informational gate was deselected",
        ),
        pytest.param(
            everything(
                gates=[gate(), gate(2, State.NOT_APPLICABLE, Level.INFORMATIONAL, reason="needs")]
            ),
            "idle",
            "1 gate gave no result",
            id="a gate is not applicable yet",
        ),
        pytest.param(
            everything(
                checks=[
                    *everything().checks[1:],
                    check(state=State.NOT_EXERCISED, unexercised=("Gate 9",)),
                ]
            ),
            "idle",
            "1 batch had something not exercised",
            id="a validation had nothing to look at",
        ),
        pytest.param(
            everything(counts={"passed": 5, "skipped": 1}), "idle", "1 test skipped", id="a skip"
        ),
        pytest.param(
            everything(gates=[gate(), WARNED]), "good", "1 finding to read", id="only a finding"
        ),
    ],
)
def test_the_verdict_is_green_only_where_everything_ran(run, tone, said):
    page = drawn(run)
    assert page.tone_of("verdict") == tone
    assert said in page.text


@pytest.mark.parametrize(
    ("run", "absent"),
    [
        pytest.param(everything(gates=[]), {"gates"}, id="no gates"),
        pytest.param(everything(), {"blocks", "to-read", "left-out", "gates-not-run"}, id="clean"),
    ],
)
def test_a_section_without_data_is_not_drawn(run, absent):
    assert absent.isdisjoint(drawn(run).ids)


def test_a_run_without_batches_draws_none():
    assert "batches" not in drawn(everything(checks=[], applications=[]), promised=()).ids


def test_every_place_that_is_linked_to_exists():
    run = everything(
        gates=[gate(1, State.FAILED, count=1), WARNED],
        checks=[check(passed=False, headline="batch 01_add_thing: expected much, found little")],
        gates_in_suite=["01_rule", "02_rule", "03_rule"],
        required_in_suite=["01_rule", "03_rule"],
        counts={"passed": 1, "failed": 3},
    )
    page = drawn(run)
    targets = {attrs["href"].removeprefix("#") for tag, attrs in page.tags if tag == "a"}
    assert targets <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"batch-1", "gate-1", "gate-2", "test-log"} <= targets


def test_batches_are_listed_in_order_with_time_sentence_and_a_word_for_each_check():
    run = everything(
        checks=[
            check(OWED[1], SECOND, passed=False, headline=f"batch {SECOND}: expected a, found b"),
            check(OWED[0], FIRST, notes=("3 rows made",)),
            check(OWED[1], FIRST),
        ],
        applications=[applied(SECOND, 2, seconds=2.34), applied()],
        counts={"passed": 3, "failed": 1},
    )
    page = drawn(run, promised=PROMISED[::-1])
    text = page.text
    table = text[text.index("Batches, in the order") :]
    assert table.index(FIRST) < table.index(SECOND)
    for words in ("50 ms", "2.3 s", "Things exist.", "Clean", "Fails", "3 rows made"):
        assert words in table
    assert "applies pass" in table
    assert "applies not run" in table
    assert "restores-schema fail" in table
    assert "1/2 batches clean" in text


def test_batches_that_were_only_applied_say_that_their_checks_were_not_run():
    page = drawn(everything(checks=[], counts={"passed": 1}))
    assert "None of its 2 checks was run." in page.text
    assert "2 batches applied their checks were not run" in page.text
    assert "Clean " not in page.text.partition("Checks of its files")[2].partition("Gates")[0]


def test_a_batch_that_was_never_reached_is_listed_as_not_run():
    page = drawn(Run(gates=[gate()], counts={"passed": 1}))
    assert f"01 {FIRST} Things exist. Not run" in re.sub(r"\s+", " ", page.text)


def test_a_batch_is_known_from_its_checks_where_nothing_was_promised():
    page = drawn(everything(applications=[]), promised=())
    assert f"02 {SECOND} Clean" in page.text


def test_a_batch_without_a_rollback_shows_why():
    promised = [Promised(FIRST, 1, "Things exist.", OWED[:1], irreversible="Nothing stood.")]
    assert "Irreversible: Nothing stood." in drawn(everything(), promised).text


def test_gates_come_failing_first_then_by_number_with_level_count_time_and_fix():
    failing = gate(9, State.FAILED, count=12345, seconds=1.5)
    page = drawn(everything(gates=[gate(1), WARNED, failing], counts={"passed": 2, "failed": 1}))
    order = [place for place in page.ids if re.fullmatch(r"gate-\d+", place)]
    assert order == ["gate-9", "gate-1", "gate-2"]
    table = page.text.partition("Statement and fix")[2]
    for words in (
        "9 Statement 9 holds. Title 9 · gates/09_rule.sql:9 required Failed 12 345 1.5 s",
        "Fix Repair 9.",
        "If it fails: Repair 1.",
    ):
        assert words in table
    assert "informational Warned 3 12 ms" in table


@pytest.mark.parametrize(
    ("state", "fails", "tone", "word"),
    [
        pytest.param(State.PASSED, False, "good", "Passed", id="passed"),
        pytest.param(State.FAILED, True, "bad", "Failed", id="failed"),
        pytest.param(State.WARNED, False, "warn", "Warned", id="warned"),
        pytest.param(State.WARNED, True, "bad", "Warned", id="warned and strict"),
        pytest.param(State.NOT_EXERCISED, True, "bad", "Not exercised", id="not exercised"),
        pytest.param(State.NOT_EXERCISED, False, "idle", "Not exercised", id="allowed to be empty"),
        pytest.param(State.NOT_APPLICABLE, False, "idle", "Not applicable yet", id="too early"),
        pytest.param(State.ERROR, True, "bad", "Error", id="error"),
    ],
)
def test_each_state_of_a_gate_has_its_word_and_only_a_pass_is_green(state, fails, tone, word):
    reason = "the reason" if state not in (State.PASSED, State.FAILED, State.WARNED) else ""
    count = None if reason else int(state is not State.PASSED)
    page = drawn(everything(gates=[gate(1, state, fails=fails, reason=reason, count=count)]))
    assert page.tone_of("gate-1") == tone
    assert f"required {word}" in page.text
    assert ("the reason" in page.text) is bool(reason)


def test_offending_rows_are_folded_and_stay_masked():
    rows = [Row(("id", "phone"), (str(n), MASK)) for n in range(5)]
    failing = gate(1, State.FAILED, count=37, sample=tuple(rows))
    page = drawn(everything(gates=[failing], counts={"failed": 1}))
    assert "5 of 37 rows id phone 0 ••••" in page.text
    assert ("details", {"class": "bg-rows"}) in page.tags


def test_figures_are_shown_open_as_a_table():
    row = Row(("role", "messages", "finding"), ("user", "12", "NULL"))
    figures = gate(8, level=Level.INFORMATIONAL, sample=(row,), figures=True)
    page = drawn(everything(gates=[gate(), figures]))
    assert "1 figure role messages finding user 12 NULL" in page.text
    assert ("details", {"class": "bg-rows", "open": None}) in page.tags


def test_columns_past_the_twelfth_are_cut_and_said_to_be():
    row = Row(tuple(f"c{n}" for n in range(15)), tuple(f"v{n}" for n in range(15)))
    failing = gate(1, State.FAILED, count=1, sample=(row,))
    page = drawn(everything(gates=[failing], counts={"failed": 1}))
    assert "1 row, 3 more columns not shown" in page.text
    assert "v11" in page.text
    assert "v12" not in page.text


def test_long_output_of_a_batch_is_cut_and_said_to_be():
    notes = tuple(f"line {n}" for n in range(100))
    page = drawn(everything(checks=[check(notes=notes)]))
    assert "… and 60 more lines" in page.text
    assert "line 40" not in page.text


def test_gates_that_did_not_run_are_named():
    page = drawn(everything(gates_in_suite=["01_rule", "07_other"]))
    assert "07_other" in page.text.partition("Not run")[2]


def test_one_cause_is_told_once_with_all_it_took_down():
    cause = f"batch {FIRST}: expected migration to succeed, statement 3 of 6 failed"
    broken = [gate(n, State.ERROR, fails=True, reason=cause, fix="Read it.") for n in (1, 2, 3)]
    run = everything(
        gates=broken,
        checks=[check(OWED[1], SECOND, passed=False, headline=cause)],
        applications=[applied(error=cause)],
        counts={"failed": 4},
    )
    blocks = drawn(run).text.partition("What blocks this merge")[2].partition("Batches, in")[0]
    assert blocks.count("Expected migration to succeed, statement 3 of 6 failed.") == 1
    assert "Fix Read it." in blocks
    assert "and because of it (4)" in blocks


def test_gates_that_find_alike_are_told_apart():
    alike = [gate(n, State.FAILED, count=1, fix="") for n in (1, 2)]
    page = drawn(everything(gates=alike, counts={"failed": 2}))
    blocks = page.text.partition("What blocks this merge")[2].partition("Batches, in")[0]
    assert blocks.count("1 row breaks this rule.") == 2


def blocks_of(page: Drawn) -> str:
    return page.text.partition("What blocks")[2].partition("Where the gates ran")[0]


def place(name: str = "", **more) -> TargetReport:
    return TargetReport(name=name, address="host=db1", source="--dsn", **more)


def silent(number, fix, **more):
    told = {"reason": "not permitted: no", "count": None, "fails": True, "fix": fix, **more}
    return gate(number, State.NO_RESULT, **told)


def test_gates_that_are_put_right_alike_are_one_point_and_others_are_not():
    fixes = ["Grant a.", "Grant a.", "Grant b."]
    gates = [silent(number, fix) for number, fix in enumerate(fixes, 1)]
    page = drawn(Run(gates=gates, targets=[place()], counts={"failed": 3}), promised=())
    blocks = blocks_of(page)
    assert (blocks.count("Fix Grant a."), blocks.count("Fix Grant b.")) == (1, 1)
    assert "the same for (1) Statement 2 holds." in blocks
    assert "because of it" not in blocks
    assert "merge" not in page.text


def test_gates_to_read_are_grouped_as_those_that_block():
    more = {"level": Level.INFORMATIONAL, "fails": False}
    quiet = [silent(number, "Grant a.", **more) for number in (1, 2, 3)]
    run = Run(gates=[*quiet, gate(4)], targets=[place()], counts={"passed": 4})
    page = drawn(run, promised=())
    told = page.text.partition("To read, not blocking")[2].partition("Where the gates ran")[0]
    assert told.count("Fix Grant a.") == 1
    assert "the same for (2)" in told


def test_gates_stand_target_by_target_in_the_order_given():
    gates = [
        gate(number, target=name, state=state)
        for name in ("eu", "us")
        for number, state in ((1, State.PASSED), (2, State.FAILED))
    ]
    run = Run(gates=gates, targets=[place("us"), place("eu")], counts={"passed": 2, "failed": 2})
    page = drawn(run, promised=())
    rows = [place for place in page.ids if place.startswith("gate-")]
    assert rows == ["gate-us-2", "gate-us-1", "gate-eu-2", "gate-eu-1"]
    assert blocks_of(page).index("(us)") < blocks_of(page).index("(eu)")


def test_statements_to_paste_are_told_from_words():
    fix = "On the primary:\n-- it hides rows\nalter role a bypassrls;"
    page = drawn(Run(gates=[silent(1, fix)], targets=[place(grants=("grant b;",))]), promised=())
    assert "<code>-- it hides rows</code>\n<code>alter role a bypassrls;</code>" in page.html
    assert "<code>On the primary" not in page.html
    assert "what is said of a role, as a superuser:" in page.text


def test_red_proofs_that_fail_are_told_from_other_tests():
    page = drawn(everything(counts={"passed": 5, "failed": 3}, reds_failed=2))
    assert "2 red proofs fail" in page.text
    assert "1 other test fails" in page.text


def test_other_failing_tests_are_counted_among_what_blocks():
    page = drawn(everything(counts={"passed": 5, "failed": 2, "error": 1}))
    assert "3 other tests fail" in page.text


def test_a_strict_finding_is_said_to_block():
    strict = gate(2, State.WARNED, Level.INFORMATIONAL, count=1, fails=True)
    page = drawn(everything(gates=[gate(), strict], counts={"passed": 4, "failed": 1}))
    assert "they block: --strict-gates" in page.text
    assert "Informational gate Statement 2 holds." in page.text.partition("What blocks")[2]


def test_a_warned_gate_is_not_counted_as_a_passing_test():
    page = drawn(everything(gates=[gate(), WARNED], counts={"passed": 6}))
    assert "5/6 tests pass 1 warned" in page.text
    assert "Of what is counted as passed here, 1 gate warned" in page.text


def hostile_run():
    row = Row((HOSTILE, "plain"), (HOSTILE, HOSTILE))
    bad = {"title": HOSTILE, "path": HOSTILE, "sentence": HOSTILE, "fix": HOSTILE, "name": HOSTILE}
    return Run(
        gates=[
            gate(1, State.FAILED, count=2, sample=(row,), **bad),
            gate(2, State.ERROR, fails=True, reason=HOSTILE, **bad),
        ],
        checks=[
            check(HOSTILE, HOSTILE, passed=False, headline=HOSTILE, fix=HOSTILE),
            check(f"{HOSTILE}::{HOSTILE}", HOSTILE, notes=(HOSTILE,)),
        ],
        applications=[Application(batch="b", number=3, summary=HOSTILE, seconds=1, error=HOSTILE)],
        gates_in_suite=[HOSTILE + "x"],
        required_in_suite=[HOSTILE + "x"],
        counts={"failed": 3},
        finished=False,
    )


def test_hostile_values_stay_text_everywhere():
    promised = [Promised(HOSTILE, 5, HOSTILE, (f"{HOSTILE}::x",), HOSTILE)]
    run = hostile_run()
    page = drawn(run, promised, described=HOSTILE)
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "img", "iframe", "link"})
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 15
    assert "\u202e" not in page.html
    assert "\\u202egnp" in page.text
    assert "{{7*7}}" in page.text


def test_a_hostile_verdict_stays_text_too():
    verdict = Verdict(judge(Run()).outcome, HOSTILE)
    page = Drawn(draw_summary(everything(), verdict, ""))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "<script>alert(1)" in page.text


def test_the_page_asks_for_nothing_outside_itself_and_needs_no_script():
    page = drawn(everything(gates=[gate(), WARNED]))
    for tag, attrs in page.tags:
        assert tag not in {"script", "link", "img", "iframe"}
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith("#")
    assert "url(" not in page.html
    assert "@import" not in page.html


def test_text_that_has_no_utf8_can_still_be_written():
    run = everything(gates=[gate(sentence="broken \udce9 name", reason="\x00\x1b[31m")])
    assert b"broken \\udce9 name" in draw_summary(run, judge(run), "\udcff").encode("utf-8")


def test_a_page_that_cannot_be_drawn_says_so_with_the_verdict_and_the_cause():
    run = everything(gates=[gate(seconds=f"{HOSTILE} is no duration")])
    page = drawn(run)
    assert "This page could not be drawn" in page.text
    assert "No check blocks this merge" in page.text
    assert "TypeError" in page.text
    assert page.tone_of("verdict") == "bad"


def test_what_a_suite_owes_is_read_from_its_files(tmp_path):
    for name in ("migration.sql", "rollback.sql"):
        (tmp_path / name).write_text("select 1;\n")
    (promised,) = promised_by(Suite(batches=(Batch("01_add_thing", 1, tmp_path),)))
    assert promised.number == 1
    assert {"migration.sql::applies", "rollback.sql::restores-schema"} <= set(promised.checks)
    assert not [name for name in promised.checks if name.startswith("validation.sql")]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.0004, "0 ms", id="nothing"),
        pytest.param(0.9994, "999 ms", id="just under a second"),
        pytest.param(0.9996, "1.0 s", id="a second"),
        pytest.param(59.94, "59.9 s", id="just under a minute"),
        pytest.param(59.96, "1 min 00 s", id="a minute"),
        pytest.param(125, "2 min 05 s", id="minutes"),
    ],
)
def test_a_duration_is_told_in_a_fitting_unit(seconds, text):
    assert time_text(seconds) == text


def test_numbers_and_sentences_are_set_for_reading():
    assert grouped(1204877) == "1\u202f204\u202f877"
    assert sentence_of("batch 01: expected a, found b", "batch 01") == "Expected a, found b."
    assert sentence_of("") == ""
    assert visible("a\nb\x07\u200f") == "a\nb\\x07\\u200f"


def row_report(nodeid="tests/test_it.py::test_it", outcome="passed", when="call", **more):
    report = {"nodeid": nodeid, "outcome": outcome, "when": when, "failed": outcome == "failed"}
    return SimpleNamespace(**report, **more)


def row_cells(report):
    return [
        f'<td class="col-result">{report.outcome.capitalize()}</td>',
        f'<td class="col-testId">{report.nodeid}</td>',
        '<td class="col-duration">12 ms</td>',
        '<td class="col-links"></td>',
    ]


def drawn_row(report, cells=None):
    cells = row_cells(report) if cells is None else cells
    draw_row(report, cells)
    return cells


def test_a_hostile_test_id_stays_text():
    cells = drawn_row(row_report(HOSTILE, when="setup"))
    page = Drawn("".join(cells))
    assert [tag for tag, _ in page.tags] == ["td"] * 4
    assert page.text.startswith("Passed <script>alert(1)</script>")
    assert "::setup" in cells[1]


def test_a_row_keeps_as_many_cells_as_there_are_headers():
    report = row_report()
    extra = '<td class="col-mine">other plugin</td>'
    cells = drawn_row(report, [*row_cells(report), extra])
    assert len(cells) == 5
    assert cells[4] == extra


def test_a_row_that_another_plugin_hid_stays_hidden():
    assert drawn_row(row_report(), []) == []


@pytest.mark.parametrize(
    ("state", "outcome", "word"),
    [
        pytest.param("passed", "passed", "Passed", id="passed"),
        pytest.param("failed", "failed", "Failed", id="failed"),
        pytest.param("warned", "passed", "Warned", id="warned"),
        pytest.param("warned", "failed", "Failed", id="warned under strict"),
        pytest.param("not exercised", "passed", "Not exercised", id="empty, allowed"),
        pytest.param("not applicable yet", "passed", "Not applicable yet", id="too early"),
        pytest.param("error", "failed", "Error", id="error"),
    ],
)
def test_a_gates_row_says_how_the_gate_ended(state, outcome, word):
    report = row_report(outcome=outcome, batchgate={"gate": {"state": state}})
    cell = drawn_row(report)[0]
    assert Drawn(cell).text == word


def test_a_links_cell_keeps_safe_links_and_escapes_them():
    extras = [
        {"format_type": "url", "content": "https://example.org/?a=1&b=2", "name": HOSTILE},
        {"format_type": "url", "content": "javascript:alert(1)", "name": "bad"},
        {"format_type": "html", "content": "<b>", "name": "html"},
    ]
    page = Drawn(drawn_row(row_report(extras=extras))[3])
    assert [tag for tag, _ in page.tags] == ["td", "a"]
    assert page.tags[1][1]["href"] == "https://example.org/?a=1&b=2"


def test_a_row_that_cannot_be_drawn_says_so_in_its_place():
    report = row_report(nodeid="a<b", batchgate={"gate": {"state": "unheard of"}})
    cells = drawn_row(report)
    assert len(cells) == 4
    assert "a&lt;b: this row could not be drawn: ValueError" in cells[1]


def test_only_allowed_metadata_reaches_the_page_and_it_is_escaped():
    metadata = {
        "Python": "3.11.2",
        "Platform": "<b>Linux</b>",
        "Packages": {"pytest": "9.0", "<i>": "1"},
        "BUILD_URL": "https://ci.example.org/secret",
    }
    assert allowed_metadata(metadata) == {
        "Python": "3.11.2",
        "Platform": "&lt;b&gt;Linux&lt;/b&gt;",
        "Packages": {"pytest": "9.0", "&lt;i&gt;": "1"},
    }
    assert "BUILD_URL" in metadata


HOOKED = """
import pytest

from batchgate.findings import Level, State
from batchgate.report.page import prepare_page
from batchgate.verdict import GateResult

WARNED = GateResult(
    name="02_rule",
    number=2,
    title="Rule",
    path="gates/02_rule.sql:1",
    sentence="A rule.",
    level=Level.INFORMATIONAL,
    state=State.WARNED,
    seconds=0,
    count=1,
)


def pytest_html_report_title(report):
    prepare_page(report, "shop \\udce9")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if item.name == "test_warned" and call.when == "call":
        report.batchgate = {"gate": WARNED.as_dict()}
    return report
"""
TESTS = """
import pytest


@pytest.mark.parametrize("value", ["<img src=x onerror=alert(1)>"])
def test_hostile(value):
    pass


def test_warned():
    pass
"""


def test_pytest_html_keeps_a_warned_row_among_the_passed_and_the_environment_closed(
    pytester, monkeypatch
):
    monkeypatch.setenv("BUILD_URL", "https://ci.example.org/secret")
    monkeypatch.setenv("JENKINS_URL", "https://ci.example.org")
    pytester.makeconftest(HOOKED)
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess("--html=page.html", "--self-contained-html")
    html = (pytester.path / "page.html").read_text()
    blob = blob_of(html)
    tests = [test for ended in blob["tests"].values() for test in ended]
    assert [test["result"] for test in tests] == ["Passed", "Passed"]
    assert [Drawn(test["resultsTableRow"][0]).text for test in tests] == ["Passed", "Warned"]
    assert "<img" not in "".join(cell for test in tests for cell in test["resultsTableRow"])
    assert set(blob["environment"]) == {"Python", "Platform", "Packages", "Plugins"}
    assert "ci.example.org" not in html
    assert "Passed or warned" in html
    assert "shop \\udce9" in html


BATCH = """-- Things stand.
-- present: to_regclass('public.thing') is not null

begin;
create table thing (id int primary key, secret text not null);
insert into thing values (1, 'told to nobody');
commit;
"""
ROLLBACK = """-- Every thing is lost.

\\set ON_ERROR_STOP on
begin;
drop table thing;
commit;
"""
GATE = """-- {sentence}
-- level: {level}
-- of: thing
-- show: id
-- fix: Take <b>it</b> away.

select id, secret from thing where {where} order by id
"""
EXAMPLE = {
    "sql/01_add_thing/migration.sql": BATCH,
    "sql/01_add_thing/rollback.sql": ROLLBACK,
    "sql/01_add_thing/validation.sql": "-- Things are there.\n\nselect id from thing;\n",
    "gates/01_no_thing_is_first.sql": GATE.format(
        sentence="No thing is <script>alert(1)</script>.",
        level="required",
        where="secret like 'told%'",
    ),
    "gates/01_no_thing_is_first.red.sql": "-- One more.\n\ninsert into thing values (2, 'told');\n",
    "gates/02_no_thing_is_low.sql": GATE.format(
        sentence="No thing is low.", level="informational", where="id < 5"
    ),
    "gates/02_no_thing_is_low.red.sql": "-- Another.\n\ninsert into thing values (3, 'x');\n",
}


def test_a_bare_run_writes_a_page_that_is_true(pytester, run_inside):
    for name, text in EXAMPLE.items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pytester.makeini("[pytest]\n")
    result = run_inside()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    html = (pytester.path / "reports" / "report.html").read_text()
    page = summary_of(html)
    assert page.tone_of("verdict") == "bad"
    assert "0/1 required gates pass" in page.text
    assert "01_add_thing Things stand." in page.text
    assert "Required gate No thing is <script>alert(1)</script>. 1 row breaks" in page.text
    assert "Fix Take <b>it</b> away." in page.text
    assert "informational Warned 1" in page.text
    assert "id secret 1 ••••" in page.text
    assert "told to nobody" not in html
    rows = [row for ended in blob_of(html)["tests"].values() for row in ended]
    words = {Drawn(row["resultsTableRow"][1]).text: row["resultsTableRow"][0] for row in rows}
    assert Drawn(words["gates/02_no_thing_is_low.sql::green"]).text == "Warned"
    assert Drawn(words["gates/01_no_thing_is_first.sql::green"]).text == "Failed"


def summary_of(html):
    own = html.partition('<div class="bg-page"')[2].partition('<p class="run-count">')[0]
    return Drawn('<div class="bg-page"' + own.rpartition("</div>")[0])


def blob_of(html):
    (raw,) = re.findall(r'data-jsonblob="([^"]*)"', html)
    return json.loads(unescape(raw))
