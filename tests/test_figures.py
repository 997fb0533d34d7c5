"""Figures become bars where they are a distribution, and never where a bar could be wrong."""

from dataclasses import replace

import pytest
import runs

from batchgate.findings import MASK, Level, State, mask_row
from batchgate.gates.run import Manner, blank_result, run_gate
from batchgate.header import GATE_KEYS, read_header
from batchgate.report.figures import Bar, bars_of
from batchgate.suite import Gate

COLUMNS = ("role", "messages", "percent", "finding")
ROLES = (
    ("user", 1200, "60.0", None),
    ("assistant", 799, "39.9", None),
    ("tool", 1, "0.1", None),
    ("system", 0, "0", "no system message"),
)


def gate(rows, columns=COLUMNS, show=None, **given):
    """Make the result of a gate with these figures."""
    sample = tuple(mask_row(columns, row, (*(show or columns), "finding")) for row in rows)
    place = columns.index("finding") if "finding" in columns else None
    count = sum(row[place] is not None for row in rows) if place is not None else 0
    told = {"sample": sample, "count": count, "figures": True, "title": "Roles", **given}
    return runs.gate("08_roles", State.WARNED if count else State.PASSED, **told)


def labelled(*numbers, columns=("role", "messages", "finding"), finding=None):
    """Make figures of a label, a number and no percentage."""
    return gate([(f"r{at}", number, finding) for at, number in enumerate(numbers)], columns)


def test_parts_of_one_whole_are_shares_of_the_total():
    bars = bars_of(gate(ROLES))
    assert (bars.title, bars.label, bars.unit, bars.whole) == ("Roles", "role", "messages", True)
    assert bars.entries == (
        Bar("user", "1\u202f200", "60.0", 0.6, "", False),
        Bar("assistant", "799", "39.9", 0.3995, "", False),
        Bar("tool", "1", "0.1", 0.0005, "", False),
        Bar("system", "0", "0", 0.0, "no system message", True),
    )


def test_numbers_without_a_percentage_are_shares_of_the_largest():
    bars = bars_of(labelled(50, 200, 0))
    assert bars.whole is False
    assert [(bar.percent, bar.share) for bar in bars.entries] == [("", 0.25), ("", 1), ("", 0)]


@pytest.mark.parametrize(
    "percents",
    [
        pytest.param(("33.3", "66.7"), id="rounded"),
        pytest.param(("33.3", "66.6"), id="cut-off"),
        pytest.param(("33", "67"), id="whole"),
        pytest.param(("33.3 %", "66.7 %"), id="with-its-sign"),
        pytest.param(("33.3333333333333333", "66.6666666666666667"), id="numeric-as-it-comes"),
    ],
)
def test_a_percentage_is_known_by_agreeing_with_the_numbers(percents):
    rows = [(f"r{at}", at, percent, None) for at, percent in enumerate(percents, 1)]
    bars = bars_of(gate(rows))
    assert [bar.share for bar in bars.entries] == [1 / 3, 2 / 3]
    assert [f"{bar.percent} %" for bar in bars.entries] == [
        f"{percent.removesuffix(' %')} %" for percent in percents
    ]


@pytest.mark.parametrize(
    "percents",
    [
        pytest.param(("90.0", "95.0"), id="of-something-else"),
        pytest.param(("33.3", "66.5"), id="wrong-in-its-last-digit"),
        pytest.param((None, "66.7"), id="null"),
        pytest.param(("33.3", "-66.7"), id="negative"),
        pytest.param(("3.33e1", "6.67e1"), id="power-of-ten"),
        pytest.param(("NaN", "66.7"), id="no-number"),
    ],
)
def test_a_fourth_column_that_is_no_percentage_is_more_than_bars_can_say(percents):
    rows = [(f"r{at}", at, percent, None) for at, percent in enumerate(percents, 1)]
    assert bars_of(gate(rows)) is None


def test_the_columns_are_known_by_what_they_hold_in_any_order():
    columns = ("percent", "finding", "messages", "role")
    rows = [(percent, finding, number, role) for role, number, percent, finding in ROLES]
    assert bars_of(gate(rows, columns)).entries == bars_of(gate(ROLES)).entries
    hundred = [("a", 25, 25, None), ("b", 75, 75, None)]
    assert bars_of(gate(hundred)).unit == "messages"


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param((1, None), id="null"),
        pytest.param((1, -1), id="negative"),
        pytest.param((1, "1.5"), id="fraction"),
        pytest.param((1, "1e6"), id="power-of-ten"),
        pytest.param((1, "1,000"), id="grouped"),
        pytest.param((1, "007"), id="leading-zeros"),
        pytest.param((1, "٣"), id="other-digits"),
        pytest.param((1, "NaN"), id="no-number"),
        pytest.param((1, ""), id="empty"),
        pytest.param((1, "9" * 200), id="cut"),
        pytest.param((0, 0), id="nothing-to-share"),
        pytest.param((5,), id="one-entry"),
        pytest.param(range(1, 42), id="too-many-entries"),
    ],
)
def test_numbers_that_do_not_count_get_no_bars(numbers):
    assert bars_of(labelled(*numbers)) is None
    assert bars_of(labelled(1, 2))


def test_a_huge_number_is_a_number():
    bars = bars_of(labelled(10**100, 10**100 // 2))
    assert [bar.share for bar in bars.entries] == [1, 0.5]
    assert bars.entries[0].number.replace("\u202f", "") == str(10**100)


@pytest.mark.parametrize(
    "name", ["id", "oid", "customer_id", "relation id", "Id", "customerId", "7_ID"]
)
def test_identifiers_are_not_counted(name):
    assert bars_of(labelled(7, 9, columns=("name", name, "finding"))) is None
    assert bars_of(labelled(7, 9, columns=("name", "paid", "finding")))


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param((2024, 2025), id="numbers"),
        pytest.param((None, "NULL"), id="null-and-its-text"),
        pytest.param(("a", "a"), id="twice"),
        pytest.param(("a" * 200 + "b", "a" * 200 + "c"), id="alike-once-cut"),
    ],
)
def test_labels_that_do_not_tell_entries_apart_get_no_bars(labels):
    rows = [(label, 1, None) for label in labels]
    assert bars_of(gate(rows, ("role", "messages", "finding"))) is None


def test_a_number_that_may_be_missing_is_no_label():
    columns = ("total", "linked", "finding")
    assert bars_of(gate([(4, 3, None), (5, None, None)], columns)) is None
    assert bars_of(gate([(4, "some", None), (5, None, None)], columns)).label == "linked"


def test_what_has_no_role_is_an_entry_of_its_own():
    bars = bars_of(gate([(None, 1, None), ("user", 3, None)], ("role", "messages", "finding")))
    assert [bar.label for bar in bars.entries] == ["NULL", "user"]


@pytest.mark.parametrize("hidden", COLUMNS[:3])
def test_a_masked_column_gets_no_bars(hidden):
    shown = tuple(name for name in COLUMNS if name != hidden)
    masked = gate(ROLES, show=shown)
    assert MASK in masked.sample[0].cells
    assert bars_of(masked) is None


def test_figures_that_were_left_out_get_no_bars():
    # Of too many figures only those with a finding are kept.
    odd = labelled(3, 4, finding="odd")
    assert bars_of(odd) is None
    assert bars_of(replace(labelled(3, 4), count=1)) is None
    assert bars_of(replace(gate(ROLES), count=2)) is None
    assert bars_of(gate(ROLES[1:])) is None
    assert bars_of(gate([])) is None


def test_all_entries_may_be_findings_where_their_percentages_show_that_none_is_missing():
    rows = [(role, number, percent, "odd") for role, number, percent, _ in ROLES]
    assert all(bar.flagged for bar in bars_of(gate(rows)).entries)
    assert bars_of(gate(rows[1:])) is None


def test_a_finding_without_words_is_a_finding():
    bars = bars_of(gate([("a", 1, ""), ("b", 2, None)], ("role", "messages", "finding")))
    assert [(bar.finding, bar.flagged) for bar in bars.entries] == [("", True), ("", False)]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        pytest.param(
            ("entity", "total", "linked", "linked_percent", "finding"),
            ("leads", 4, 3, "75.0", None),
            id="totals-and-parts-of-them",
        ),
        pytest.param(("entity", "total", "linked", "finding"), ("leads", 4, 3, None), id="two"),
        pytest.param(
            ("batch", "index", "state", "scans", "finding"),
            (2, "idx", "present", 9, None),
            id="two-texts",
        ),
        pytest.param(("index", "state", "scans", "finding"), ("i", "present", 9, None), id="texts"),
        pytest.param(("total", "linked", "finding"), (4, 3, None), id="no-label"),
        pytest.param(("role", "messages", "messages", "finding"), ("a", 1, 1, None), id="twice"),
        pytest.param((*COLUMNS, "seen"), ("a", 1, "50.0", None, 7), id="a-column-more"),
        pytest.param(("role", "messages"), ("a", 1), id="no-finding"),
        pytest.param(("role", "finding"), ("a", None), id="no-number"),
    ],
)
def test_other_figures_are_no_distribution(columns, row):
    other = tuple(f"{cell}!" if isinstance(cell, str) and cell.isalpha() else cell for cell in row)
    assert bars_of(gate([row, other], columns)) is None


def test_only_figures_get_bars():
    assert bars_of(replace(gate(ROLES), figures=False)) is None
    assert bars_of(runs.gate()) is None


def test_hostile_texts_stay_texts():
    columns = (runs.HOSTILE, f"n{runs.HOSTILE}", "finding")
    rows = [(runs.HOSTILE, 1, runs.HOSTILE), (f"b{runs.HOSTILE}", 3, None)]
    bars = bars_of(gate(rows, columns, title=runs.HOSTILE))
    assert [bar.share for bar in bars.entries] == [1 / 3, 1]
    texts = (bars.label, bars.unit, bars.entries[0].label, bars.entries[0].finding)
    assert all(text.isprintable() for text in texts)


def test_a_gate_on_a_server_gets_the_bars_of_its_rows(at_batch, tmp_path):
    database = at_batch(None)
    header = "-- Both.\n-- level: informational\n-- of: note\n-- rows: figures\n-- fix: Look.\n"
    header += "-- show: kind, notes, percent\n"
    told = read_header(header, path="gates/01_x.sql", keys=GATE_KEYS, required=True)
    query = (
        "select kind, count(*) as notes, round(100.0 * count(*) / sum(count(*)) over (), 1)"
        " as percent, case when count(*) = 1 then 'rare' end as finding"
        " from note group by kind order by kind"
    )
    with database.harness.heights.connect(database.name) as connection:
        connection.execute("create table note (kind text)")
        connection.execute("insert into note select 'a' from generate_series(1, 1999)")
        connection.execute("insert into note values ('b')")
        ran = run_gate(
            connection, Gate("01_x", 1, tmp_path / "01_x.sql", told, query, 7), "x", [], Manner()
        )
    assert ran.level is Level.INFORMATIONAL
    assert [(bar.label, bar.number, bar.percent, bar.finding) for bar in bars_of(ran).entries] == [
        ("a", "1\u202f999", "100.0", ""),
        ("b", "1", "0.1", "rare"),
    ]
    assert blank_result(Gate("01_x", 1, tmp_path, told, query, 7), "x").figures
