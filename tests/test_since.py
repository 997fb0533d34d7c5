"""Since the last run: each gate's counts in a row, no false difference, and what else is new."""

from dataclasses import replace

import pytest
from drawn import drawn, everything, gate

from batchgate.findings import State
from batchgate.report.trends import spark_of

RULE = "2b6eb601b62c"


def entry(count, definition=RULE, started="2026-06-01T00:00:00+00:00", name="01_rule"):
    told = [definition, count, "passed" if count == 0 else "failed"]
    return {
        "started": started,
        "verdict": "Gates pass",
        "outcome": "gates_pass",
        "gates": {name: told},
    }


def news(**more):
    told = {"kind": "verdict", "subject": "", "target": "", "text": "", "worse": False, "why": ""}
    return {**told, **more}


def row_of(*history, count=7, **given):
    """Return the row of a gate that counts so many after such a history."""
    state = State.FAILED if count else State.PASSED
    told = {"definition": RULE, "count": count, **given}
    run = everything(gates=[gate(1, told.pop("state", state), **told)], counts={"failed": 1})
    page = drawn(run, history=history)
    assert "since" in page.ids
    return page.between("Runs Last This Change", "Test log")


@pytest.mark.parametrize(
    ("history", "count", "row"),
    [
        pytest.param([entry(2), entry(5)], 7, "5 7 +2", id="more"),
        pytest.param([entry(9)], 7, "9 7 −2", id="fewer"),
        pytest.param([entry(7)], 7, "7 7 same", id="the same"),
        pytest.param([entry(7, "another")], 7, "– 7 rule changed", id="another rule"),
        pytest.param([entry(None)], 7, "– 7 no earlier result", id="no earlier result"),
        pytest.param([entry(1204877)], 0, "1 204 877 0 −1 204 877", id="long"),
    ],
)
def test_a_gates_row_tells_the_last_count_this_one_and_the_difference(history, count, row):
    assert f"01_rule {row}" in row_of(*history, count=count)


def test_a_gate_without_a_result_has_no_difference():
    row = row_of(entry(3), count=None, state=State.NO_RESULT, fails=True)
    assert "01_rule 3 – no result" in row


def test_the_gates_table_has_the_change_too():
    run = everything(gates=[gate(1, State.FAILED, count=7, definition=RULE)], counts={"failed": 1})
    page = drawn(run, history=[entry(5)])
    assert "required Failed 7 +2 12 ms" in page.text
    assert "Violations Time" in drawn(run).text


def test_gates_whose_count_is_the_same_are_folded_below_those_that_changed():
    same = gate(1, State.FAILED, count=5, definition=RULE)
    run = everything(gates=[same], counts={"failed": 1})
    assert "1 gate with the same count Gate Runs" in drawn(run, history=[entry(5)]).text
    changed = everything(gates=[replace(same, count=7)], counts={"failed": 1})
    assert "with the same count" not in drawn(changed, history=[entry(5)]).text


def test_counts_are_drawn_as_a_line_from_run_to_run():
    spark = spark_of([0, 5, 10])
    assert spark.strokes == ("2,18 48,10 94,2",)
    assert spark.end == (94, 2)
    assert spark_of([3]).end == (94, 2)


def test_a_run_without_a_result_is_a_gap_and_not_a_zero():
    spark = spark_of([4, 4, None, 4, 4, None])
    assert len(spark.strokes) == 2
    assert spark.end is None
    assert spark_of([None, 3]).strokes == ()


def test_counts_are_told_to_who_does_not_see_the_line():
    run = everything(gates=[gate(1, State.FAILED, count=7, definition=RULE)], counts={"failed": 1})
    page = drawn(run, history=[entry(2), entry(None), entry(5)])
    labels = [attrs.get("aria-label") for tag, attrs in page.tags if tag == "svg"]
    assert "2, no result, 5, 7" in labels


def test_other_changes_are_listed_worse_ones_first_and_those_of_rows_are_not_said_twice():
    changes = [
        news(kind="check_passes", subject="01_a/x", text="passes now"),
        news(kind="check_fails", subject="02_b/y", text="fails now: batch 02_b: a", worse=True),
        news(kind="count", subject="01_rule", text="7 rows, 5 before (+2)", worse=True),
    ]
    run = everything(gates=[gate(1, State.FAILED, count=7, definition=RULE)], counts={"failed": 1})
    since = {"previous": "2026-06-30T12:00:00+00:00, Gates pass: 1 finding", "changes": changes}
    page = drawn(run, since=since, history=[entry(5)])
    section = page.text.partition("The last run:")[2].partition("Test log")[0]
    assert section.startswith(" 30 Jun 2026, 12:00 UTC, Gates pass: 1 finding.")
    assert section.index("Worse 02_b/y : fails now: a") < section.index("01_a/x : passes now")
    assert "5 before" not in section


def test_of_very_many_changes_the_first_are_listed():
    changes = [news(subject=f"n{n}", text="new") for n in range(130)]
    page = drawn(everything(), since={"previous": "then", "changes": changes})
    assert "n99" in page.text
    assert "n100" not in page.text
    assert "30 more not shown" in page.text


def test_where_nothing_is_new_it_is_said_and_without_an_earlier_run_nothing_is():
    assert "Nothing new." in drawn(everything(), since={"previous": "then", "changes": []}).text
    assert "since" not in drawn(everything()).ids
