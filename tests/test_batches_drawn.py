"""Batches on the reviewer's page: what was seen of each is told, and what is cut says so."""

import re

import pytest
from drawn import (
    FIRST,
    OWED,
    PROMISED,
    SECOND,
    applied,
    change,
    check,
    drawn,
    everything,
    gate,
    legs,
    lock,
    mutant,
    seen_by,
)

from batchgate.findings import State
from batchgate.particulars import Particulars
from batchgate.report.changes import tally_of
from batchgate.report.locks import heaviest, locks_ahead, locks_of, longest
from batchgate.report.mutants import mutants_of
from batchgate.report.timeline import timeline_of
from batchgate.run import Promised, Run

LOCKS, MUTANTS = "migration.sql::no-lock-while-working", "validation.sql::kills-every-mutant"


CHAIN = "rollback.sql::chain-down-and-up"


def table_of(page):
    return page.between("Heaviest lock Rollback", "Gates Statement")


def failing(*checks, **more):
    count = sum(each.failed for each in checks)
    return everything(checks=checks, counts={"passed": 1, "failed": count}, **more)


def test_batches_are_listed_in_order_with_time_sentence_and_a_word_for_each_check():
    run = everything(
        checks=[
            check(OWED[1], SECOND, passed=False, headline=f"batch {SECOND}: expected a, found b"),
            check(OWED[0], FIRST, notes=("3 rows made",)),
            check(OWED[1], FIRST),
        ],
        applications=[applied(SECOND, 2, seconds=2.34), applied()],
        promised=PROMISED[::-1],
        counts={"passed": 3, "failed": 1},
    )
    page = drawn(run)
    table = page.text[page.text.index("Batches, in the order") :]
    assert table.index(FIRST) < table.index(SECOND)
    for words in ("50 ms", "2.3 s", "Things exist.", "Passes", "Fails", "3 rows made"):
        assert words in table
    for words in ("migration.sql applies", "applies not run", "restores-schema fails"):
        assert words in table
    assert "1/2 batches round-trip 1 not clean" in page.text


def test_batches_that_were_only_applied_say_that_their_checks_were_not_run():
    page = drawn(everything(checks=[], counts={"passed": 1}))
    assert "None of its 2 checks was run." in page.text
    assert "2 batches applied checks not run" in page.text
    assert "Clean" not in table_of(page)


def test_a_batch_that_was_never_reached_is_listed_as_not_run():
    page = drawn(Run(gates=[gate()], promised=PROMISED, counts={"passed": 1}))
    assert f"{FIRST} Things exist. Not run" in page.text


def test_a_batch_is_known_from_its_checks_where_nothing_was_promised():
    page = drawn(everything(applications=[], promised=()))
    assert f"{SECOND} Passes" in page.text


def test_a_failing_batch_is_unfolded_with_its_message_and_fix_and_others_are_not():
    bad = check(OWED[0], passed=False, headline=f"batch {FIRST}: expected a, found b", fix="Do c.")
    page = drawn(failing(bad, check(OWED[0], SECOND)))
    cards = [attrs for tag, attrs in page.tags if "bg-card" in (attrs.get("class") or "")]
    assert ["open" in attrs for attrs in cards] == [True, False]
    assert f"{OWED[0]} Expected a, found b. Fix Do c." in page.text.partition("Batches, in")[2]


@pytest.mark.parametrize(
    ("batch", "checks", "word", "tone"),
    [
        pytest.param(PROMISED[0], [check(OWED[1])], "Clean", "good", id="clean"),
        pytest.param(PROMISED[0], [check(OWED[0])], "Not run", "idle", id="not run"),
        pytest.param(
            Promised(FIRST, 1, "", (*OWED, "rollback.sql::restores-data")),
            [check(OWED[1])],
            "Not all run",
            "idle",
            id="half",
        ),
        pytest.param(
            PROMISED[0],
            [check(OWED[1], state=State.NOT_EXERCISED, unexercised=("no rows",))],
            "Not exercised",
            "warn",
            id="nothing to look at",
        ),
        pytest.param(
            PROMISED[0],
            [seen_by(OWED[1], passed=False, differences=(change("left behind"),))],
            "Leaves residue",
            "bad",
            id="residue",
        ),
        pytest.param(
            PROMISED[0],
            [
                seen_by(
                    OWED[1],
                    passed=False,
                    differences=(change("left behind"), change("destroyed", name="public.other")),
                )
            ],
            "Destroys, leaves residue",
            "bad",
            id="destroys",
        ),
        pytest.param(
            Promised(FIRST, 1, "", (*OWED, CHAIN)),
            [
                check(OWED[1]),
                seen_by(CHAIN, passed=False, differences=(change("left behind"),)),
            ],
            "Breaks the chain",
            "bad",
            id="another batch of the chain leaves something",
        ),
        pytest.param(
            PROMISED[0],
            [seen_by(OWED[1], passed=False, differences=(change("changed", note="harmless"),))],
            "Fails",
            "bad",
            id="of no consequence",
        ),
        pytest.param(PROMISED[0], [check(OWED[1], passed=False)], "Fails", "bad", id="fails"),
        pytest.param(
            Promised(FIRST, 1, "", OWED[:1], irreversible="Nothing stood."),
            [check(OWED[0])],
            "Irreversible",
            "warn",
            id="irreversible",
        ),
        pytest.param(
            Promised(FIRST, 1, "", ("validation.sql::passes",)),
            [check("validation.sql::passes")],
            "Nothing to undo",
            "idle",
            id="only validates",
        ),
        pytest.param(Promised(FIRST, 1), [], "Not known", "idle", id="not known"),
    ],
)
def test_each_rollback_has_its_word_and_only_a_clean_one_is_green(batch, checks, word, tone):
    count = sum(each.failed for each in checks)
    page = drawn(Run(promised=[batch], checks=checks, counts={"passed": 1, "failed": count}))
    badges = re.findall(r'<span class="bg-badge (\w+)"><i[^>]*></i>([^<]*)', page.html)
    assert (tone, word) in badges[1:]


def test_the_way_there_and_back_is_laid_end_to_end_with_its_times_as_text():
    checks = [
        seen_by(OWED[0], legs=legs(9.0)),
        seen_by("rollback.sql::applies-again", legs=legs(1.0, 2.0, 1.0)),
        seen_by("rollback.sql::applies-again", SECOND, legs=legs(4.0, 2.0, failed="roll back")),
    ]
    line = timeline_of(checks, [FIRST, SECOND])
    assert line.total == "10.0 s"
    first, second = line.stretches[FIRST], line.stretches[SECOND]
    assert [(each.start, each.width) for each in first] == [(0, 10), (10, 20), (30, 10)]
    assert [(each.start, each.width) for each in second] == [(40, 40), (80, 20)]
    page = drawn(everything(checks=checks))
    assert "apply roll back apply again" in page.text
    assert "roll back 2.0 s apply again 1.0 s 1.0 s" in page.text
    assert "roll back 2.0 s, failed" in page.text


def test_without_times_there_is_no_timeline():
    assert timeline_of([check()], [FIRST]) is None
    assert "Timeline" not in drawn(everything()).text


def test_times_are_said_to_be_those_of_a_scratch_copy_of_so_many_rows():
    checks = [seen_by(OWED[0], rows=1204877), seen_by(OWED[0], SECOND, rows=3)]
    assert "scratch copy of 3 to 1 204 877 rows." in drawn(everything(checks=checks)).text
    one = [seen_by(OWED[0], rows=1)]
    assert "scratch copy of 1 row." in drawn(everything(checks=one)).text


def test_schema_changes_are_counted_by_object_and_listed_with_their_values():
    column = ("changed", "column", "public.a.b")
    seen = seen_by(
        OWED[0],
        rows=1,
        changes=(
            change(parts="with 3 columns"),
            change("changed", "column", "public.a.b", attribute="type", before="int", after="text"),
            change(*column, attribute="not null", before="no", after="yes"),
            change("removed", "index", "public.a_idx"),
        ),
        left_out=(("changes", 7),),
    )
    tally = tally_of([seen])
    assert (tally.added, tally.changed, tally.removed, tally.more) == (1, 1, 1, 7)
    text = drawn(everything(checks=[seen])).text
    for words in (
        "+1 ~1 −1 and 7 more",
        "10 schema changes",
        "+ added relation public.thing with 3 columns",
        "~ changed column public.a.b type int text",
        "− removed index public.a_idx",
        "7 more not shown",
    ):
        assert words in text


def test_a_schema_that_no_check_compared_is_not_said_to_be_unchanged():
    assert tally_of([check()]) is None
    assert "+0" not in drawn(everything()).text
    unchanged = tally_of([seen_by(OWED[0], rows=0)])
    assert str(unchanged) == "no change"


def test_of_many_changes_and_lines_the_first_are_shown_and_the_rest_counted():
    seen = seen_by(
        OWED[0],
        rows=1,
        changes=tuple(change(name=f"public.t{n}") for n in range(130)),
        diff=("--- before", "+++ after", *(f"+line {n}" for n in range(500))),
    )
    text = drawn(everything(checks=[seen])).text
    assert "public.t99" in text
    assert "public.t100" not in text
    assert "30 more not shown" in text
    assert "+line 397" in text
    assert "+line 398" not in text
    assert "102 more not shown" in text


def test_with_very_many_batches_each_has_its_share_and_those_that_fail_have_more():
    names = [f"{n:02}_b" for n in range(1, 61)]
    many = tuple(change(name=f"public.t{n}") for n in range(100))
    checks = [seen_by(OWED[0], name, passed=name != "07_b", rows=1, changes=many) for name in names]
    promised = [Promised(name, n, "", OWED[:1]) for n, name in enumerate(names, 1)]
    text = drawn(Run(promised=promised, checks=checks, counts={"passed": 59, "failed": 1})).text
    assert text.count("80 more not shown") == 59
    assert "public.t99" in text


def test_a_diff_is_marked_line_by_line():
    lines = ("--- before", "+++ after", "@@ -1,2 +1,2 @@", " a", "--- b", "+c")
    page = drawn(everything(checks=[seen_by(OWED[0], rows=1, diff=lines)]))
    marked = re.findall(r'<i class="(\w+)">([^<]*)</i>', page.between_html("bg-diff", "</pre>"))
    assert marked == [
        ("at", "--- before"),
        ("at", "+++ after"),
        ("at", "@@ -1,2 +1,2 @@"),
        ("del", "--- b"),
        ("add", "+c"),
    ]


def test_locks_say_what_they_stop_for_how_long_and_which_fails_the_check():
    seen = seen_by(
        LOCKS,
        passed=False,
        locks=(
            lock("public.a", mode="ACCESS EXCLUSIVE", seconds=0.029, stops="reads and writes"),
            lock("public.b", mode="ACCESS EXCLUSIVE", seconds=0.029, stops="reads and writes"),
            lock("public.c", offends=True, work="reads 3 → 12 rows of public.c"),
            lock("public.d", excused="for small tables only", seconds=None),
        ),
        left_out=(("locks", 5),),
    )
    page = drawn(failing(seen))
    text = page.text
    for words in (
        "9 locks",
        "migration.sql:12 create index ACCESS EXCLUSIVE public.a , public.b 29 ms reads and writes",
        "SHARE public.c Fails the check 2.9 s writes reads 3 → 12 rows of public.c",
        "SHARE public.d Excused: for small tables only –",
        "5 more not shown",
        "2.9 s longest lock that others wait for SHARE on public.c, scratch copy",
    ):
        assert words in text


def test_a_rollbacks_locks_are_none_of_the_way_there_unless_a_check_fails_for_them():
    ahead, back = lock(), lock(file="rollback.sql")
    guilty = lock(file="rollback.sql", offends=True)
    assert locks_ahead([seen_by(OWED[0], locks=(ahead, back, guilty))]) == [ahead, guilty]


def test_the_heaviest_lock_is_one_that_others_wait_for_and_first_of_all_one_that_offends():
    weak = lock(mode="SHARE UPDATE EXCLUSIVE", strength=4, blocks_writes=False, seconds=99.0)
    strong = lock(mode="ACCESS EXCLUSIVE", strength=8, seconds=0.1)
    guilty = lock(offends=True, seconds=1.0)
    assert heaviest([weak]) is None
    assert heaviest([weak, strong, lock()]) == strong
    assert heaviest([weak, strong, guilty]) == guilty
    assert longest([weak, strong, guilty]) == guilty
    assert longest([lock(seconds=None)]) is None


def test_of_very_many_locks_those_that_offend_are_shown():
    locks = (*(lock(f"public.t{n}") for n in range(80)), lock("public.guilty", offends=True))
    table = locks_of([seen_by(LOCKS, locks=locks)])
    assert "public.guilty" in {name for row in table.rows for name in row.relations}
    assert (table.count, table.more) == (81, "21 more not shown")


@pytest.mark.parametrize(
    ("checks", "figure", "tone"),
    [
        pytest.param([check()], "– longest lock that others wait for not measured", "idle", id="0"),
        pytest.param(
            [check(LOCKS)], "none longest lock that others wait for", "good", id="none that stops"
        ),
        pytest.param(
            [seen_by(LOCKS, locks=(lock(),))], "2.9 s longest lock", "good", id="none offends"
        ),
        pytest.param(
            [seen_by(LOCKS, passed=False, locks=(lock(offends=True),))],
            "2.9 s longest lock",
            "bad",
            id="one offends",
        ),
        pytest.param(
            [seen_by(LOCKS, locks=(lock(),), state=State.NOT_EXERCISED)],
            "2.9 s longest lock",
            "idle",
            id="not exercised",
        ),
    ],
)
def test_the_figure_of_locks_is_green_only_where_each_check_for_them_passed(checks, figure, tone):
    promised = [Promised(FIRST, 1, "", tuple(each.check for each in checks))]
    page = drawn(Run(promised=promised, checks=checks, counts={"passed": 1}))
    assert figure in page.text
    assert re.search(rf'<li class="{tone}"><b>[^<]*</b> <span>longest lock', page.html)


def test_what_a_failing_check_found_is_told_by_kind_with_the_line_it_comes_from():
    seen = seen_by(
        OWED[1],
        passed=False,
        differences=(
            change("left behind", at=f"sql/{FIRST}/migration.sql:14"),
            change("destroyed", "comment", "on public.a", before="Was.", after="none"),
            change("changed", "column", "public.b.c", note="seen by select * only"),
        ),
    )
    again = seen_by(
        "rollback.sql::applies-again", passed=False, differences=(change("left behind"),)
    )
    text = drawn(failing(seen, again)).text
    assert (
        "Left behind found by rollback.sql::restores-schema, rollback.sql::applies-again"
        " Object Made by relation public.thing migration.sql:14" in text
    )
    assert "Destroyed found by rollback.sql::restores-schema Object Before After" in text
    assert "Not as it was" not in text


def test_what_a_passing_check_found_to_be_harmless_is_no_table():
    page = drawn(everything(checks=[seen_by(OWED[1], differences=(change("changed", note="x"),))]))
    assert "Not as it was" not in page.text


def test_mutants_are_counted_and_those_that_survived_are_named_with_their_line():
    seen = seen_by(
        MUTANTS,
        passed=False,
        mutants=(
            mutant("check dropped", "survived", at=f"sql/{FIRST}/migration.sql:52"),
            mutant("comment changed", "survived", required=False),
            mutant("default changed", "killed in words only", reason="exit code 0"),
            mutant("trigger dropped", "not made", reason="others depend on it"),
            *(mutant(f"column c{n} dropped", at="validation.sql:9") for n in range(60)),
        ),
        left_out=(("mutants", 8),),
    )
    totals = mutants_of([seen])
    assert (totals.killed, totals.tried, totals.left_out) == (60, 62, 8)
    text = drawn(failing(seen)).text
    for words in (
        "60 of 62 damages noticed; 8 more were tried.",
        "Survived: check dropped migration.sql:52",
        "1 survived, and need not be noticed",
        "1 killed in words only",
        "trigger dropped others depend on it",
        "60 killed",
        "10 more not shown",
    ):
        assert words in text


def test_rows_that_were_written_are_told_by_table():
    seen = seen_by(OWED[0], rows=1, written=(("public.thing", 1204877),))
    text = drawn(everything(checks=[seen])).text
    assert "Rows written public.thing 1 204 877" in text
    assert "1 204 877 rows written" in text


def test_long_notes_of_a_batch_are_cut_and_said_to_be():
    notes = tuple(f"line {n}" for n in range(100))
    page = drawn(everything(checks=[check(notes=notes)]))
    assert "60 more not shown" in page.text
    assert "line 40" not in page.text


def test_nothing_that_was_not_seen_is_drawn():
    text = drawn(everything()).text
    for heading in (
        "Schema changes",
        "Schema as a diff",
        "Locks on objects",
        "Left behind",
        "What the validation notices",
        "Rows written",
        "Files",
    ):
        assert heading not in text
    assert mutants_of([check(particulars=Particulars())]) is None


def test_each_file_is_shown_with_its_lines_numbered():
    promised = [Promised(FIRST, 1, "", OWED, "", (("migration.sql", "begin;\ncommit;\n"),))]
    page = drawn(everything(promised=promised))
    assert "Files migration.sql of 01_add_thing 1 2 begin ; commit ;" in page.text
