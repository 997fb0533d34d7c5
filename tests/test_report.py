"""The reviewer's page: true in every state, and text stays text."""

import re
from itertools import pairwise

import pytest
import runs
from drawn import (
    FIRST,
    HOSTILE,
    OWED,
    SECOND,
    Drawn,
    applied,
    change,
    check,
    document,
    drawn,
    everything,
    gate,
    seen_by,
)

from batchgate.findings import MASK, Cause, Level, Row, State
from batchgate.promises import promised_by
from batchgate.report.fixes import passages_of
from batchgate.report.page import draw_summary
from batchgate.report.words import first_few, grouped, moment, sentence_of, visible
from batchgate.run import Application, Promised, Run, TargetReport
from batchgate.suite import Batch, Suite
from batchgate.verdict import time_text

WARNED = gate(2, State.WARNED, Level.INFORMATIONAL, count=3)


def blocks_of(page: Drawn) -> str:
    return page.text.partition("What blocks")[2].partition("Verdict Attention")[0]


def test_a_page_of_a_whole_run_is_green_and_says_its_figures():
    page = drawn(everything())
    assert page.tone_of("verdict") == "good"
    assert "No check blocks this merge" in page.text
    for figure in (
        "2/2 batches round-trip there and back",
        "1/1 required gates pass none fails",
        "0 informational findings they do not block",
        "5/5 tests pass none failed",
    ):
        assert figure in page.text


def test_the_line_under_the_title_says_when_how_long_and_on_what():
    page = drawn(everything(), described="2 batches, 1 gate, PostgreSQL 18.6")
    assert "01 Jul 2026, 12:00 UTC took 2.5 s 2 batches, 1 gate, PostgreSQL 18.6" in page.text


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
            everything(tests=[runs.a_test("test_a.py::test_one", "xpassed")]),
            "idle",
            "1 test passed unexpectedly",
            id="a test that was expected to fail",
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
        pytest.param(everything(checks=[], applications=[], promised=()), {"batches"}, id="none"),
        pytest.param(
            everything(),
            {"attention", "blocks", "to-read", "left-out", "gates-not-run", "since"},
            id="clean",
        ),
    ],
)
def test_a_section_without_data_is_not_drawn(run, absent):
    assert absent.isdisjoint(drawn(run).ids)


def full():
    """Make a run that fills every section."""
    row = Row(("role", "messages", "finding"), ("user", "12", "NULL"))
    other = Row(("role", "messages", "finding"), ("bot", "8", "NULL"))
    figures = gate(8, level=Level.INFORMATIONAL, sample=(row, other), figures=True)
    return everything(
        gates=[gate(1, State.FAILED, count=1), WARNED, figures],
        checks=[check(passed=False, headline="batch 01_add_thing: expected much, found little")],
        gates_in_suite=["01_rule", "02_rule", "08_rule", "03_rule"],
        required_in_suite=["01_rule", "03_rule"],
        counts={"passed": 1, "failed": 3},
    )


NEWS = {"previous": "2026-06-30T12:00:00+00:00, Gates pass", "changes": []}


def test_every_place_that_is_linked_to_exists_and_every_section_is_linked_to():
    page = drawn(full(), since=NEWS)
    targets = {attrs["href"].removeprefix("#") for tag, attrs in page.tags if tag == "a"}
    sections = {attrs["id"] for tag, attrs in page.tags if tag == "section"}
    assert targets <= set(page.ids)
    assert sections <= targets
    assert len(page.ids) == len(set(page.ids))
    assert {"batch-1", "gate-1", "gate-2", "test-log", "figures-gate-8", "since"} <= targets


def test_the_links_at_the_top_come_with_counts_and_after_what_blocks():
    page = drawn(full(), since=NEWS)
    nav = page.between("Verdict Attention", "Test log")
    assert nav.startswith(" 5 Batches 2 Gates 3 Title 8 Since the last run")
    places = [page.ids.index(name) for name in ("verdict", "blocks", "batches", "about")]
    assert places == sorted(places)
    first_link = next(attrs["href"] for tag, attrs in page.tags if tag == "a")
    assert first_link == "#batch-1"


def test_headings_run_in_order_and_stand_under_one_title():
    levels = [int(tag[1]) for tag, _ in drawn(full(), since=NEWS).tags if re.match(r"h\d", tag)]
    assert min(levels) == 2
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_batches_or_gates_of_one_number_have_places_of_their_own():
    twins = [Promised("01_a", 1, "", ("a.sql::x",)), Promised("01_b", 1, "", ("a.sql::x",))]
    gates = [gate(1, name="01_a"), gate(1, name="01_b"), gate(1, target="us east"), gate(1)]
    page = drawn(everything(promised=twins, checks=[], applications=[], gates=gates))
    assert len(page.ids) == len(set(page.ids))
    assert {"batch-1", "batch-1-2", "gate-1", "gate-1-2", "gate-us-east-1"} <= set(page.ids)


def test_one_cause_is_told_once_with_all_it_took_down():
    cause = f"batch {FIRST}: expected migration to succeed, statement 3 of 6 failed"
    broken = [gate(n, State.ERROR, fails=True, reason=cause, fix="Read it.") for n in (1, 2, 3)]
    run = everything(
        gates=broken,
        checks=[check(OWED[1], SECOND, passed=False, headline=cause)],
        applications=[applied(error=cause)],
        counts={"failed": 4},
    )
    blocks = blocks_of(drawn(run))
    assert blocks.count("Expected migration to succeed, statement 3 of 6 failed.") == 1
    assert "Fix Read it." in blocks
    assert "and because of it (4)" in blocks


def test_a_batch_blocks_once_with_its_first_failure_its_fix_and_the_rest_folded():
    failing = [
        check("migration.sql::no-lock-while-working", passed=False, headline="expected no lock"),
        check(OWED[1], passed=False, headline="expected the schema", fix="Undo it."),
    ]
    page = drawn(everything(checks=failing, counts={"passed": 3, "failed": 2}))
    blocks = blocks_of(page)
    assert blocks.count(FIRST) == 1
    assert "migration.sql::no-lock-while-working Expected no lock. Fix Undo it." in blocks
    assert f"1 more of its checks fails {OWED[1]}: Expected the schema." in blocks


def test_what_blocks_says_what_is_new_since_the_last_run():
    def news(kind, subject, **more):
        return {"kind": kind, "subject": subject, "text": "", "worse": True, **more}

    changes = [
        news("finding_new", "01_rule"),
        news("count", "02_rule"),
        news("rule_changed", "03_rule", worse=False),
        news("check_fails", f"{FIRST}/{OWED[0]}"),
    ]
    gates = [gate(n, State.FAILED, count=1) for n in (1, 2, 3, 4)]
    run = everything(gates=gates, checks=[check(passed=False)], counts={"failed": 5})
    blocks = blocks_of(drawn(run, since={**NEWS, "changes": changes}))
    for said in (
        f"{OWED[0]} new since the last run",
        "Statement 1 holds. new since the last run",
        "Statement 2 holds. more than in the last run",
        "Statement 3 holds. rule changed since the last run",
        "Statement 4 holds. 1 row breaks",
    ):
        assert said in blocks
    assert "last run" not in blocks_of(drawn(run))


def test_of_very_much_that_blocks_the_first_is_shown_and_the_rest_folded():
    gates = [gate(n, State.FAILED, count=1) for n in range(1, 31)]
    page = drawn(everything(gates=gates, counts={"failed": 30}))
    assert "15 more of: What blocks this merge ✕".removesuffix(" ✕") in page.text
    assert blocks_of(page).count("1 row breaks this rule.") == 30


def test_gates_that_find_alike_are_told_apart():
    alike = [gate(n, State.FAILED, count=1, fix="") for n in (1, 2)]
    page = drawn(everything(gates=alike, counts={"failed": 2}))
    assert blocks_of(page).count("1 row breaks this rule.") == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"count": 1}, "1 row breaks this rule.", id="one"),
        pytest.param(
            {"count": 37, "checked": 1204877, "exact": True},
            "37 of 1 204 877 rows break this rule.",
            id="counted",
        ),
        pytest.param(
            {"count": 4, "checked": 18211}, "4 of about 18 211 rows break this rule.", id="estimate"
        ),
        pytest.param({"count": 4, "checked": 3}, "4 rows break this rule.", id="more than there"),
        pytest.param({"count": 2, "figures": True}, "2 figures to look into.", id="figures"),
    ],
)
def test_what_a_gate_found_is_one_sentence(given, said):
    page = drawn(everything(gates=[gate(1, State.FAILED, **given)], counts={"failed": 1}))
    assert said in blocks_of(page)


def place(name: str = "", **more) -> TargetReport:
    return TargetReport(name=name, address="host=db1", source="--dsn", **more)


def silent(number, fix, **more):
    told = {"reason": "not permitted: no", "count": None, "fails": True, "fix": fix, **more}
    return gate(number, State.NO_RESULT, **told)


def test_gates_that_are_put_right_alike_are_one_point_and_others_are_not():
    fixes = ["Grant a.", "Grant a.", "Grant b."]
    gates = [silent(number, fix) for number, fix in enumerate(fixes, 1)]
    page = drawn(Run(gates=gates, targets=[place()], counts={"failed": 3}))
    blocks = blocks_of(page)
    assert (blocks.count("Fix Grant a."), blocks.count("Fix Grant b.")) == (1, 1)
    assert "the same for (1) Statement 2 holds." in blocks
    assert "because of it" not in blocks
    assert "merge" not in page.text.partition("Test log")[0]


def test_gates_to_read_are_grouped_as_those_that_block():
    more = {"level": Level.INFORMATIONAL, "fails": False}
    quiet = [silent(number, "Grant a.", **more) for number in (1, 2, 3)]
    page = drawn(Run(gates=[*quiet, gate(4)], targets=[place()], counts={"passed": 4}))
    told = page.between("To read, not blocking", "Verdict Attention")
    assert told.count("Fix Grant a.") == 1
    assert "the same for (2)" in told


def two_targets(**of_the_second):
    gates = [
        gate(1, State.FAILED, target=name, **{"count": 3, **more})
        for name, more in (("us", {}), ("eu", of_the_second))
    ]
    return Run(gates=gates, targets=[place("us"), place("eu")], counts={"failed": 2})


def test_a_gate_that_fails_alike_on_two_targets_is_said_once_with_both_names():
    page = drawn(two_targets())
    assert blocks_of(page).count("Statement 1 holds.") == 1
    assert "Statement 1 holds. on us , eu 3 rows break this rule." in blocks_of(page)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links[:3] == ["#gate-us-1", "#gate-us-1", "#gate-eu-1"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"count": 4}, id="another count"),
        pytest.param({"fix": "Ask first."}, id="another fix"),
        pytest.param({"level": Level.INFORMATIONAL}, id="another level"),
    ],
)
def test_a_gate_that_fails_otherwise_on_another_target_is_a_point_of_its_own(other):
    blocks = blocks_of(drawn(two_targets(**other)))
    assert blocks.count("Statement 1 holds. on") == 2


def test_long_statements_of_a_fix_are_folded_in_the_list_and_whole_where_it_leads():
    fix = "Do this:\n" + "\n".join(f"select {number};" for number in range(7))
    page = drawn(everything(gates=[gate(1, State.FAILED, count=1, fix=fix)], counts={"failed": 1}))
    assert "Fix Do this: 7 lines of SQL select 0;" in page.text
    assert page.html.count("lines of SQL") == 1
    short = fix.rpartition("\n")[0]
    page = drawn(
        everything(gates=[gate(1, State.FAILED, count=1, fix=short)], counts={"failed": 1})
    )
    assert "lines of SQL" not in page.html


def test_statements_to_paste_are_told_from_words():
    fix = "On the primary:\n-- it hides rows\nalter role a bypassrls;"
    page = drawn(Run(gates=[silent(1, fix)], targets=[place(grants=("grant b;",))]))
    assert "<code>-- it hides rows\nalter role a bypassrls;</code>" in page.html
    assert "<code>On the primary" not in page.html
    assert "what is said of a role, as a superuser:" in page.text


@pytest.mark.parametrize(
    ("fix", "passages"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("Do it:", [("Do it:", False)], id="no statement"),
        pytest.param("Do it; then rest.", [("Do it; then rest.", False)], id="words"),
        pytest.param("drop a;", [("drop a;", True)], id="a statement"),
        pytest.param(
            "So:\ndo $$\nbegin\nend\n$$;\nRest: no.",
            [("So:", False), ("do $$\nbegin\nend\n$$;", True), ("Rest: no.", False)],
            id="a statement of several lines",
        ),
        pytest.param(
            "Here:\ndrop a; -- an interrupted one\nmake b;\nWhere it stays small, say so.",
            [
                ("Here:", False),
                ("drop a; -- an interrupted one\nmake b;", True),
                ("Where it stays small, say so.", False),
            ],
            id="statements between words",
        ),
    ],
)
def test_what_can_be_pasted_is_told_from_words(fix, passages):
    assert passages_of(fix) == passages


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
    assert "Informational gate Statement 2 holds." in blocks_of(page)


def test_a_warned_gate_is_not_counted_as_a_passing_test():
    page = drawn(everything(gates=[gate(), WARNED], counts={"passed": 6}))
    assert "5/6 tests pass 1 warned" in page.text


def test_required_gates_are_counted_on_each_target():
    run = Run(
        gates=[gate(1, target="eu"), gate(2, target="eu"), gate(1, target="us")],
        targets=[place("eu"), place("us")],
        gates_in_suite=["01_rule", "02_rule"],
        required_in_suite=["01_rule", "02_rule"],
        counts={"passed": 3},
    )
    page = drawn(run)
    assert "3/4 required gates pass 1 without a result" in page.text


def test_gates_come_failing_first_then_by_number_with_level_count_and_time():
    failing = gate(9, State.FAILED, count=12345, seconds=1.5, checked=99999, exact=True)
    page = drawn(everything(gates=[gate(1), WARNED, failing], counts={"passed": 2, "failed": 1}))
    order = [place for place in page.ids if re.fullmatch(r"gate-\d+", place)]
    assert order == ["gate-9", "gate-1", "gate-2"]
    table = page.text.partition("Statement Level Result")[2]
    assert "9 Statement 9 holds. required Failed 12 345 of 99 999 1.5 s" in table
    for words in ("Fix Repair 9.", "If it fails: Repair 1.", "informational Finding 3 12 ms"):
        assert words in table


def test_rows_that_were_read_are_told_beside_what_was_found():
    exact = {"checked": 1204877, "exact": True}
    gates = [
        gate(1, **exact),
        gate(2, State.WARNED, Level.INFORMATIONAL, count=4, checked=18211),
        gate(3, State.WARNED, Level.INFORMATIONAL, count=1, figures=True, **exact),
        gate(4, checked=None),
    ]
    text = drawn(everything(gates=gates)).text
    for words in ("0 of 1 204 877", "4 of ≈ 18 211", "1 from 1 204 877 rows", "Passed 0 12 ms"):
        assert words in text


def test_required_gates_that_fail_come_before_informational_ones():
    strict = gate(1, State.WARNED, Level.INFORMATIONAL, count=1, fails=True)
    page = drawn(everything(gates=[strict, gate(2, State.FAILED, count=1)], counts={"failed": 2}))
    order = [place for place in page.ids if re.fullmatch(r"gate-\d+", place)]
    assert order == ["gate-2", "gate-1"]


@pytest.mark.parametrize(
    ("state", "fails", "tone", "word"),
    [
        pytest.param(State.PASSED, False, "good", "Passed", id="passed"),
        pytest.param(State.FAILED, True, "bad", "Failed", id="failed"),
        pytest.param(State.WARNED, False, "warn", "Finding", id="warned"),
        pytest.param(State.WARNED, True, "bad", "Warned", id="warned and strict"),
        pytest.param(State.NOT_EXERCISED, True, "bad", "Not exercised", id="not exercised"),
        pytest.param(State.NOT_EXERCISED, False, "idle", "Not exercised", id="allowed to be empty"),
        pytest.param(State.NOT_APPLICABLE, False, "idle", "Not applicable yet", id="too early"),
        pytest.param(State.ERROR, True, "lost", "Error", id="error"),
        pytest.param(State.NO_RESULT, True, "lost", "No result", id="no result"),
    ],
)
def test_each_state_of_a_gate_has_its_word_and_only_a_pass_is_green(state, fails, tone, word):
    reason = "the reason" if state not in (State.PASSED, State.FAILED, State.WARNED) else ""
    count = None if reason else int(state is not State.PASSED)
    page = drawn(everything(gates=[gate(1, state, fails=fails, reason=reason, count=count)]))
    assert page.tone_of("gate-1") == tone
    assert f"required {word}" in page.text
    assert ("the reason" in page.text) is bool(reason)


def test_what_kept_a_gate_from_a_result_is_its_word_and_no_failure():
    timed_out = silent(1, "Wait.", cause=Cause.TIMED_OUT)
    page = drawn(everything(gates=[timed_out], counts={"failed": 1}))
    assert "required Timed out" in page.text
    assert page.tone_of("gate-1") == "lost"
    assert "✕ Failed" not in page.text


def test_offending_rows_are_folded_and_stay_masked():
    rows = [Row(("id", "phone"), (str(n), MASK)) for n in range(5)]
    failing = gate(1, State.FAILED, count=37, sample=tuple(rows))
    page = drawn(everything(gates=[failing], counts={"failed": 1}))
    assert "5 of 37 rows id phone 0 ••••" in page.text


def test_figures_that_are_no_bars_are_unfolded_as_what_fails_is():
    def unfolded(made):
        html = drawn(everything(gates=[made])).html.partition('id="gate-1"')[2]
        return " open" in html.partition("<details")[2].partition(">")[0]

    row = Row(("entity", "total", "linked", "finding"), ("leads", "4", "3", "NULL"))
    bars = [Row(("role", "n", "finding"), (name, "1", "NULL")) for name in ("a", "b")]
    assert unfolded(gate(sample=(row,), figures=True))
    assert not unfolded(gate(sample=tuple(bars), figures=True))
    assert unfolded(gate(1, State.FAILED, count=1))
    assert not unfolded(gate())


def test_columns_past_the_twelfth_are_cut_and_said_to_be():
    row = Row(tuple(f"c{n}" for n in range(15)), tuple(f"v{n}" for n in range(15)))
    failing = gate(1, State.FAILED, count=1, sample=(row,))
    page = drawn(everything(gates=[failing], counts={"failed": 1}))
    assert "1 row, 3 more columns not shown" in page.text
    assert "v11" in page.text
    assert "v12" not in page.text


def test_beneath_a_gate_stand_its_query_plan_cost_and_where_it_ran():
    asked = gate(
        1,
        target="eu",
        snapshot=1,
        tries=2,
        cost=184201.4,
        definition="2b6eb601b62c",
        sql="select id from thing",
        plan="Seq Scan on thing",
    )
    run = Run(gates=[asked], targets=[place("eu", snapshots=("2026-07-01T12:00:01Z",))])
    text = drawn(run).text
    for words in (
        "File gates/01_rule.sql:9",
        "Estimated cost 184 201",
        "Definition 2b6eb601b62c",
        "Snapshot 2026-07-01T12:00:01Z",
        "Tries 2",
        "Query of gate 1 1 select id from thing",
        "Plan of gate 1 1 Seq Scan on thing",
    ):
        assert words in text


def test_gates_stand_target_by_target_in_the_order_given():
    gates = [
        gate(number, target=name, state=state)
        for name in ("eu", "us")
        for number, state in ((1, State.PASSED), (2, State.FAILED))
    ]
    run = Run(gates=gates, targets=[place("us"), place("eu")], counts={"passed": 2, "failed": 2})
    page = drawn(run)
    rows = [name for name in page.ids if name.startswith("gate-")]
    assert rows == ["gate-us-2", "gate-us-1", "gate-eu-2", "gate-eu-1"]
    assert "Statement 2 holds. on us , eu" in blocks_of(page)
    assert page.text.index("On us") < page.text.index("On eu")


def test_gates_that_did_not_run_are_named():
    page = drawn(everything(gates_in_suite=["01_rule", "07_other"]))
    assert "07_other" in page.text.partition("Not run")[2]


def test_a_distribution_is_a_section_of_its_own_with_its_numbers_as_text():
    page = drawn(full())
    assert "figures-gate-8" in page.ids
    section = page.text.partition("Title 8 role Share messages")[2]
    assert section.startswith(" user 12")
    widths = re.findall(r'class="bg-fill" width="([\d.]+)"', page.html)
    assert {"100.00", "66.67"} <= set(widths)


def test_many_distributions_are_one_section():
    rows = [Row(("role", "n", "finding"), (name, "1", "NULL")) for name in ("a", "b")]
    figures = [gate(n, sample=tuple(rows), figures=True) for n in range(1, 6)]
    page = drawn(everything(gates=figures))
    assert "Figures 5" in page.text
    sections = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    assert [name for name in sections if name.startswith("figures")] == ["figures"]


def test_distributions_of_several_targets_are_one_section_and_one_link():
    rows = tuple(Row(("role", "n", "finding"), (name, "1", "NULL")) for name in ("a", "b"))
    figures = [gate(1, sample=rows, figures=True, target=name) for name in ("us", "eu")]
    run = Run(gates=figures, targets=[place("us"), place("eu")], counts={"passed": 2})
    page = drawn(run)
    sections = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    assert [name for name in sections if name.startswith("figures")] == ["figures"]
    assert "Figures 2" in page.text
    assert "Title 1 on us" in page.text
    assert "Title 1 on eu" in page.text


def test_about_this_run_says_what_its_times_and_rows_mean():
    page = drawn(everything(checks=[seen_by(OWED[0], rows=77)]), samples=5)
    about = page.text.partition("About this run")[2]
    for words in (
        "Taken on a scratch copy of 77 rows. A larger database takes longer.",
        "A gate shows at most 5 rows of those it finds",
        "masked as ••••",
        "Command -m gates",
        "statement_timeout 30s",
        "batchgate 0.1.0, Python 3.11.7",
    ):
        assert words in about


def test_a_target_is_told_with_its_role_grants_and_lag_and_without_a_password():
    target = runs.target("eu", grants=("grant select on a to b;",), notes=("a note",))
    page = drawn(Run(gates=[gate(1, target="eu")], targets=[target], counts={"passed": 1}))
    about = page.text.partition("About this run")[2]
    for words in (
        "Target eu at host=db1 dbname=app user=gate_reader (--dsn)",
        "PostgreSQL 15.18, a standby",
        "lag 0 bytes",
        "grant select on a to b;",
        "a note",
        "Those of gates are the target's own",
    ):
        assert words in about
    assert "took 2.5 s gates on eu Gates pass" in page.text


def hostile_run():
    row = Row((HOSTILE, "plain"), (HOSTILE, HOSTILE))
    bad = {"title": HOSTILE, "path": HOSTILE, "sentence": HOSTILE, "fix": HOSTILE, "name": HOSTILE}
    texts = {"sql": HOSTILE, "plan": HOSTILE, "definition": HOSTILE}
    seen = {
        "changes": (change(name=HOSTILE, attribute=HOSTILE, before=HOSTILE, after=HOSTILE),),
        "diff": ("--- before", "+++ after", f"+{HOSTILE}"),
        "rows": 1,
        "written": ((HOSTILE, 1),),
    }
    return Run(
        gates=[
            gate(1, State.FAILED, count=2, sample=(row,), **bad, **texts),
            gate(2, State.ERROR, fails=True, reason=HOSTILE, **bad),
        ],
        checks=[
            check(HOSTILE, HOSTILE, passed=False, headline=HOSTILE, fix=HOSTILE),
            check(f"{HOSTILE}::{HOSTILE}", HOSTILE, notes=(HOSTILE,)),
            seen_by("migration.sql::applies", HOSTILE, **seen),
        ],
        applications=[Application(batch="b", number=3, summary=HOSTILE, seconds=1, error=HOSTILE)],
        promised=[
            Promised(HOSTILE, 5, HOSTILE, (f"{HOSTILE}::x",), HOSTILE, ((HOSTILE, HOSTILE),))
        ],
        gates_in_suite=[HOSTILE + "x"],
        required_in_suite=[HOSTILE + "x"],
        counts={"failed": 3},
        finished=False,
    )


def test_hostile_values_stay_text_everywhere():
    since = {"previous": HOSTILE, "changes": [{"kind": "x", "subject": HOSTILE, "text": HOSTILE}]}
    page = drawn(hostile_run(), since=since, described=HOSTILE, environment={HOSTILE: HOSTILE})
    tags = [tag for tag, _ in page.tags]
    assert {"img", "iframe", "link"}.isdisjoint(tags)
    assert tags.count("script") == drawn(everything()).html.count("<script>")
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 25
    assert "\u202e" not in page.html
    assert "\\u202egnp" in page.text
    assert "{{7*7}}" in page.text


@pytest.mark.parametrize("run", [runs.everything(), runs.hostile()], ids=["everything", "hostile"])
def test_whatever_a_run_can_hold_is_drawn(run):
    page = drawn(run)
    assert len(page.ids) == len(set(page.ids))
    assert "could not be drawn" not in page.text


def test_a_document_of_version_1_is_drawn_without_what_it_lacks():
    old = document(everything())
    for name in ("tests", "since", "history", "gates_in_suite"):
        del old[name]
    del old["about"]["environment"]
    page = Drawn(draw_summary(old))
    assert "No check blocks this merge" in page.text


def test_the_page_asks_for_nothing_outside_itself():
    page = drawn(full())
    for tag, attrs in page.tags:
        assert tag not in {"link", "img", "iframe"}
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith("#")
    assert "url(" not in page.html
    assert "@import" not in page.html


def test_text_that_has_no_utf8_can_still_be_written():
    run = everything(gates=[gate(sentence="broken \udce9 name", reason="\x00\x1b[31m")])
    page = draw_summary(document(run, described="\udcff"))
    assert b"broken \\udce9 name" in page.encode("utf-8")


def test_a_page_that_cannot_be_drawn_says_so_with_the_verdict_and_the_cause():
    broken = document(everything())
    broken["gates"][0]["seconds"] = f"{HOSTILE} is no duration"
    page = Drawn(draw_summary(broken))
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


def test_numbers_sentences_and_times_are_set_for_reading():
    assert grouped(1204877) == "1\u202f204\u202f877"
    assert sentence_of("batch 01: expected a, found b", "batch 01") == "Expected a, found b."
    assert sentence_of("") == ""
    assert visible("a\nb\x07\u200f") == "a\nb\\x07\\u200f"
    assert moment("2026-07-01T14:00:59+02:00") == "01 Jul 2026, 12:00 UTC"
    assert moment("long ago") == "long ago"
    assert first_few((1, 2, 3), 2, known=4) == ((1, 2), "5 more not shown")
    assert first_few((1, 2), 2) == ((1, 2), "")


BATCH = """-- Things stand.
-- present: to_regclass('public.thing') is not null

begin;
create table thing (id int primary key, secret text not null);
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
    "scenarios/sample/01.sql": "insert into thing values (1, 'told to nobody');\n",
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
    page = Drawn(html.partition("<body>")[2].partition("<footer>")[0])
    assert page.tone_of("verdict") == "bad"
    assert "0/1 required gates pass" in page.text
    assert "01_add_thing Things stand." in page.text
    assert "Required gate No thing is <script>alert(1)</script>. 1 of 1 rows breaks" in page.text
    assert "Fix Take <b>it</b> away." in page.text
    assert "informational Finding 1" in page.text
    assert "id secret 1 ••••" in page.text
    assert "+ added relation public.thing" in page.text
    assert "survived" in page.text
    assert "told to nobody" not in html
