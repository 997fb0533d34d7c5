"""What is new since an earlier run is told, and nothing that is only asked differently."""

import pytest
import runs

from batchgate.findings import Cause, Level, State
from batchgate.outcomes.compare import (
    Change,
    Comparison,
    change_line,
    compare_documents,
    comparison_lines,
)
from batchgate.outcomes.document import document_of
from batchgate.verdict import judge

EU = {"target": "eu"}
NAME = "01_all_is_well"


def document(*gates, **given):
    """Make the document of a run on one target."""
    return runs.document(*gates, **{"targets": (runs.target(),), **given})


def told(before, after):
    """Return the changes but the verdict's, as kind, line and whether it is worse."""
    changes = compare_documents(before, after).changes
    return [(c.kind, change_line(c), c.worse) for c in changes if c.kind != "verdict"]


def finding(count, **given):
    return runs.gate(state=State.FAILED, count=count, **{**EU, **given})


PASSED = runs.gate(**EU)
TIMED_OUT = runs.without_result(Cause.TIMED_OUT, **EU)
WHERE = f"{NAME} on eu"


@pytest.mark.parametrize(
    ("before", "after", "kind", "line", "worse"),
    [
        pytest.param(
            PASSED, finding(3), "finding_new", "3 rows, none before", True, id="new-finding"
        ),
        pytest.param(
            finding(1), PASSED, "finding_gone", "nothing found, 1 row before", False, id="gone"
        ),
        pytest.param(finding(3), finding(5), "count", "5 rows, 3 before (+2)", True, id="more"),
        pytest.param(finding(5), finding(3), "count", "3 rows, 5 before (-2)", False, id="fewer"),
        pytest.param(
            PASSED,
            TIMED_OUT,
            "result_lost",
            "no result any more (nothing found before): timed out after 30 s",
            True,
            id="lost",
        ),
        pytest.param(
            PASSED,
            runs.gate(state=State.NOT_EXERCISED, reason="orders is empty", **EU),
            "result_lost",
            "no result any more (nothing found before): not exercised (orders is empty)",
            True,
            id="not-exercised",
        ),
        pytest.param(
            TIMED_OUT,
            PASSED,
            "result_back",
            "result again, nothing found (no result (timed out) before)",
            False,
            id="back",
        ),
        pytest.param(
            TIMED_OUT,
            finding(2),
            "result_back",
            "result again, 2 rows (no result (timed out) before)",
            True,
            id="back-with-a-finding",
        ),
        pytest.param(
            TIMED_OUT,
            runs.without_result(Cause.LOST, **EU),
            "cause",
            "still no result: no result (connection lost) (no result (timed out) before)",
            False,
            id="another-cause",
        ),
        pytest.param(
            finding(9),
            finding(3, definition="b2"),
            "rule_changed",
            "rule changed, 3 rows; by the earlier rule 9 rows",
            False,
            id="rule",
        ),
        pytest.param(
            PASSED,
            finding(3, definition="b2"),
            "rule_changed",
            "rule changed, 3 rows; by the earlier rule nothing found",
            True,
            id="rule-that-fails-now",
        ),
        pytest.param(
            PASSED,
            runs.without_result(Cause.TOO_COSTLY, definition="b2", fails=False, **EU),
            "rule_changed",
            "rule changed, no result (too costly); by the earlier rule nothing found",
            True,
            id="rule-without-result",
        ),
        pytest.param(
            runs.gate(state=State.WARNED, fails=False, **EU),
            runs.gate(state=State.WARNED, fails=True, **EU),
            "blocks",
            "3 rows, as before, and blocks now",
            True,
            id="strict",
        ),
        pytest.param(
            PASSED,
            runs.gate(level=Level.INFORMATIONAL, **EU),
            "level",
            "level was required, is informational",
            False,
            id="level",
        ),
        pytest.param(
            finding(1, figures=True),
            finding(2, figures=True),
            "count",
            "2 findings, 1 before (+1)",
            True,
            id="figures",
        ),
    ],
)
def test_a_gate_that_ends_differently_is_told(before, after, kind, line, worse):
    changes = told(document(before), document(after))
    assert changes == [(kind, f"{WHERE}: {line}", worse)]


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param(PASSED, id="passed"),
        pytest.param(finding(3), id="failed"),
        pytest.param(TIMED_OUT, id="no-result"),
    ],
)
def test_the_same_again_is_nothing_new(gate):
    other = runs.gate(**{**vars(gate), "seconds": 9.9, "snapshot": 4, "path": "b.sql:1"})
    comparison = compare_documents(document(gate), document(other))
    assert comparison.changes == ()
    (line,) = comparison_lines(comparison)
    assert line.startswith("nothing new since 2026-07-01T12:00:00+00:00, ")


def test_everything_is_nothing_new_to_itself():
    run = runs.everything()
    same = document_of(run, judge(run), runs.about())
    assert compare_documents(same, same).changes == ()


def test_gates_that_came_went_or_were_left_out_are_told():
    suite = ("01_all_is_well", "02_b")
    left_out = document(runs.gate("02_b", **EU), gates_in_suite=suite)
    assert told(document(PASSED, runs.gate("02_b", **EU)), left_out) == [
        (
            "result_lost",
            f"{WHERE}: no result any more (nothing found before): it was not run",
            True,
        )
    ]
    assert told(left_out, document(PASSED, runs.gate("02_b", **EU))) == [
        ("gate_back", f"{WHERE}: ran again, nothing found", False)
    ]
    assert told(document(PASSED, runs.gate("02_b", **EU)), document(PASSED)) == [
        ("gate_gone", "02_b on eu: gate removed, nothing found before", False)
    ]
    for new, said, worse in (
        (finding(2, name="02_b"), "2 rows", True),
        (runs.gate("02_b", State.WARNED, **EU), "3 rows", True),
        (runs.gate("02_b", **EU), "nothing found", False),
        (runs.without_result(Cause.LOST, "02_b", **EU), "no result (connection lost)", True),
        (
            runs.without_result(Cause.LOST, "02_b", fails=False, **EU),
            "no result (connection lost)",
            False,
        ),
    ):
        assert told(document(PASSED), document(PASSED, new)) == [
            ("gate_new", f"02_b on eu: new gate, {said}", worse)
        ]


def test_a_target_that_came_or_went_is_one_line():
    one = document(PASSED)
    two = document(
        PASSED,
        finding(2, target="us"),
        runs.without_result(Cause.LOST, "02_b", target="us"),
        runs.gate("03_c", target="us"),
        runs.gate("04_d", target="us"),
        targets=(runs.target(), runs.target("us")),
        gates_in_suite=(NAME,),
    )
    assert told(one, two) == [
        ("target_new", "target us: new, 4 gates: 1 find something, 1 no result", True)
    ]
    assert told(two, one) == [
        ("target_gone", "target us: its gates ran in the earlier run, and not in this one", True)
    ]


def test_a_target_that_can_no_longer_be_asked_is_told():
    down = document(
        runs.without_result(Cause.UNREACHABLE, **EU),
        targets=(runs.target(role="", error="no connection to db1"),),
    )
    changes = told(document(PASSED), down)
    assert changes[0] == ("target", "target eu: no gate can run: no connection to db1", True)
    assert changes[1][0] == "result_lost"
    assert ("target", "target eu: gates run again", False) in told(down, document(PASSED))


def test_gates_of_the_throw_away_server_are_not_those_of_a_target():
    unnamed = runs.document(runs.gate(), targets=(runs.target(""),))
    assert told(runs.document(runs.gate(state=State.FAILED)), unnamed) == [
        (
            "servers",
            "gates ran on the throw-away server then, on targets now: they are not compared",
            False,
        )
    ]
    none = runs.document(counts={"passed": 1})
    assert told(none, none) == []
    assert [kind for kind, _, _ in told(unnamed, none)] == ["servers"]


def test_another_database_under_the_same_name_is_told_without_its_address():
    other = document(PASSED, targets=(runs.target(address="host=db9"),))
    assert told(document(PASSED), other) == [
        ("address", "target eu: its address is not that of the earlier run", False)
    ]


def checked(state, **given):
    return runs.document(
        checks=(runs.check("01_a", "rollback.sql::restores-data", state, **given),),
        counts={"passed": 1},
    )


@pytest.mark.parametrize(
    ("before", "after", "kind", "worse"),
    [
        pytest.param(State.PASSED, State.FAILED, "check_fails", True, id="fails"),
        pytest.param(State.FAILED, State.PASSED, "check_passes", False, id="passes"),
        pytest.param(State.PASSED, State.NOT_EXERCISED, "check_lost", True, id="lost"),
        pytest.param(State.FAILED, State.NOT_EXERCISED, "check", False, id="idle"),
        pytest.param(None, State.FAILED, "check_fails", True, id="new-and-fails"),
        pytest.param(State.PASSED, None, "checks_lost", False, id="not-made"),
    ],
)
def test_a_check_that_ends_differently_is_told(before, after, kind, worse):
    none = runs.document(counts={"passed": 1})
    documents = [checked(state) if state else none for state in (before, after)]
    assert [(each[0], each[2]) for each in told(*documents)] == [(kind, worse)]
    assert "01_a/rollback.sql::restores-data" in told(*documents)[0][1]


def test_a_check_that_fails_says_with_what():
    before = checked(State.PASSED)
    for headline, said in (("left behind", "left behind"), ("", "without a message")):
        after = checked(State.FAILED, headline=headline)
        name = "01_a/rollback.sql::restores-data"
        assert told(before, after) == [("check_fails", f"{name}: fails now: {said}", True)]


def test_a_check_that_is_new_and_passes_is_no_news():
    assert told(runs.document(counts={"passed": 1}), checked(State.PASSED)) == []


def test_the_verdict_before_and_after_is_told_and_what_is_worse_comes_first():
    comparison = compare_documents(
        document(finding(4), runs.gate("02_b", **EU)),
        document(PASSED, finding(3, name="02_b")),
    )
    assert [change.worse for change in comparison.changes] == [True, False]
    cleared = compare_documents(document(finding(1)), document(PASSED)).changes
    assert (cleared[0].kind, cleared[0].worse) == ("verdict", False)
    broken = compare_documents(document(PASSED), document(finding(1))).changes
    assert (broken[0].kind, broken[0].worse) == ("verdict", True)
    assert broken[0].text == "verdict was 'Gates pass', is 'Gates fail: blocked by 1 required gate'"


def test_another_project_is_told():
    other = document(PASSED, about_project="depot")
    assert told(other, document(PASSED)) == [
        ("project", "the earlier run is of another project, depot", False)
    ]


def test_rows_are_never_compared():
    rows = [runs.gate(state=State.FAILED, **EU).sample, ()]
    before, after = (document(finding(3, sample=sample)) for sample in rows)
    assert before["gates"][0]["sample"] != after["gates"][0]["sample"]
    assert told(before, after) == []


@pytest.mark.parametrize(
    ("number", "end"), [pytest.param(10, "k::9", id="ten"), pytest.param(11, "1 more", id="more")]
)
def test_checks_that_were_not_made_are_one_line(number, end):
    checks = [runs.check("01_a", f"k::{at}", State.PASSED) for at in range(number)]
    before = runs.document(checks=checks, counts={"passed": 1})
    ((_, line, _),) = told(before, runs.document(counts={"passed": 1}))
    assert line.startswith(f"{number} checks of batches ran before and not now: 01_a/k::0, ")
    assert line.endswith(end)


def test_a_single_result_that_was_lost_says_what_it_was():
    comparison = compare_documents(document(finding(2)), document(TIMED_OUT))
    line = "no result any more (2 rows before): timed out after 30 s"
    assert f"  worse: {WHERE}: {line}" in comparison_lines(comparison)


def test_results_lost_for_one_reason_in_one_place_are_one_line():
    names = [f"{at:02}_gate" for at in range(12)]
    targets = (runs.target(), runs.target("us"))
    before = document(
        *(runs.gate(n, target=t) for n in names for t in ("eu", "us")), targets=targets
    )
    after = document(
        *(runs.without_result(Cause.LOST, name, target="eu") for name in names),
        *(runs.gate(name, target="us") for name in names),
        targets=targets,
    )
    comparison = compare_documents(before, after)
    assert len(comparison.changes) == 13
    assert comparison_lines(comparison)[2:] == [
        "  worse: 12 gates on eu: no result any more: connection lost after 30 s: "
        f"{', '.join(names[:10])} and 2 more"
    ]


def test_lines_for_a_terminal_hold_no_control_character():
    change = Change(kind="count", text=runs.HOSTILE, subject=runs.HOSTILE, target=runs.HOSTILE)
    first, line = comparison_lines(Comparison(previous=runs.HOSTILE, changes=(change,)))
    for text in (first, line):
        assert "\n" not in text
        assert text.isprintable()
