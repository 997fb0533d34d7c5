"""Counts of earlier runs are carried along and compared only where they answer one question."""

import json
import os
from dataclasses import replace

import pytest
import runs

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.findings import Cause, Level, State
from batchgate.outcomes.document import document_of, write_document
from batchgate.outcomes.earlier import Earlier, earlier_run
from batchgate.outcomes.history import KEPT, Point, extended, series_of
from batchgate.outcomes.reading import SCHEMA_VERSION, read_document
from batchgate.verdict import judge

REPORT = "report.json"
NAME = "01_all_is_well"
EU = {"targets": (runs.target(),)}


def found(count, **given):
    """Make a gate that counts so many rows."""
    state = State.FAILED if count else State.PASSED
    return runs.gate(state=state, count=count, **given)


SILENT = runs.without_result(Cause.TIMED_OUT)


def ran(previous, *gates, day=1, **given):
    """Make the document of a run that comes after another one."""
    told = {"about_started": f"2026-07-{day:02}T12:00:00+00:00", **given}
    document = runs.document(*gates, **told)
    document["history"] = extended(previous, document["about"]["project"])
    return document


def ran_all(*each):
    """Make one run after the other, each of its gates or of what `ran` takes; return the last."""
    document = None
    for day, given in enumerate(each, 1):
        gates, more = given if isinstance(given[-1], dict) else (given, {})
        document = ran(document, *gates, day=day, **more)
    return document


def counts(document, name=NAME, target=""):
    series = series_of(document)[name, target]
    return [each.count for each in (*series.earlier, series.this)]


def test_the_previous_run_is_added_to_what_it_knew_itself():
    document = ran_all((found(3),), (found(2), runs.gate("02_b")), (found(0),))
    assert document["history"] == [
        {
            "started": "2026-07-01T12:00:00+00:00",
            "verdict": "Gates fail",
            "outcome": "gates_fail",
            "gates": {NAME: ["a1", 3, "failed"]},
        },
        {
            "started": "2026-07-02T12:00:00+00:00",
            "verdict": "Gates fail",
            "outcome": "gates_fail",
            "gates": {NAME: ["a1", 2, "failed"], "02_b": ["a1", 0, "passed"]},
        },
    ]
    series = series_of(document)[NAME, ""]
    assert (series.last, series.change, series.missed) == (
        Point("2026-07-02T12:00:00+00:00", 2),
        -2,
        0,
    )
    assert (series.this.count, series.said, series.rule_changed) == (0, "", False)


def test_a_first_run_has_nothing_before_it():
    document = ran(None, found(3))
    series = series_of(document)[NAME, ""]
    assert document["history"] == []
    assert (series.earlier, series.last, series.change) == ((), None, None)
    assert series.said == "first run"


def test_history_is_an_additional_field_that_an_older_report_lacks():
    old = ran_all((found(3),), (found(2),))
    del old["history"], old["finished"]
    old["schema_version"] = 1
    assert counts(ran(old, found(1), day=3)) == [2, 1]
    assert counts(old) == [2]


def test_no_more_than_twenty_runs_are_kept_and_the_oldest_go_first():
    document = ran_all(*((found(count),) for count in range(1, 26)))
    assert len(document["history"]) == KEPT == 20
    assert counts(document) == list(range(5, 26))


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(SILENT, id="timed-out"),
        pytest.param(runs.gate(state=State.NOT_EXERCISED), id="not-exercised"),
        pytest.param(runs.gate(state=State.NOT_APPLICABLE), id="not-applicable"),
        pytest.param(runs.gate(state=State.ERROR), id="error"),
        pytest.param(runs.without_result(Cause.LOST, count=0), id="a-zero-that-is-none"),
    ],
)
def test_a_run_without_a_result_is_a_gap_and_no_zero(silent):
    document = ran_all((found(3),), (silent,), (silent,), (found(5),))
    series = series_of(document)[NAME, ""]
    assert counts(document) == [3, None, None, 5]
    assert (series.last.count, series.change, series.missed) == (3, 2, 2)
    assert series.said == "2 runs without a result between"


def test_a_run_that_has_no_result_itself_changes_nothing():
    series = series_of(ran_all((found(3),), (SILENT,)))[NAME, ""]
    assert (series.last.count, series.this.count, series.change) == (3, None, None)
    assert series.said == "no result"


def test_without_any_earlier_result_there_is_no_change():
    series = series_of(ran_all((SILENT,), (found(3),)))[NAME, ""]
    assert (series.last, series.change, series.said) == (None, None, "no earlier result")


def test_two_runs_in_one_second_are_two():
    document = None
    for count in (3, None, 3):
        document = ran(document, SILENT if count is None else found(count))
    assert series_of(ran(document, found(3)))[NAME, ""].missed == 0
    assert series_of(ran(ran(document, SILENT), found(3)))[NAME, ""].missed == 1


def test_a_changed_rule_starts_anew():
    new = {"definition": "b2"}
    changed = ran_all((found(9),), (found(3, **new),))
    series = series_of(changed)[NAME, ""]
    assert series.earlier == (Point("2026-07-01T12:00:00+00:00", 9, same_rule=False),)
    assert (series.last, series.change, series.said) == (None, None, "rule changed")
    after = ran(changed, found(5, **new), day=3)
    series = series_of(after)[NAME, ""]
    assert [each.same_rule for each in series.earlier] == [False, True]
    assert (series.last.count, series.change, series.said) == (3, 2, "")
    assert series.rule_changed is False
    # The rule of the beginning is another one again: what it counted then is too long ago.
    back = series_of(ran(after, found(9), day=4))[NAME, ""]
    assert [each.same_rule for each in back.earlier] == [False, False, False]
    assert (back.change, back.said) == (None, "rule changed")


def test_a_rule_that_changed_in_a_run_without_result_has_changed():
    new = {"definition": "b2"}
    silent = replace(SILENT, **new)
    series = series_of(ran_all((found(9),), (silent,), (found(3, **new),)))[NAME, ""]
    assert [each.same_rule for each in series.earlier] == [False, True]
    assert (series.last, series.change, series.said) == (None, None, "rule changed")


def test_a_level_belongs_to_the_rule_and_an_unknown_rule_is_no_other():
    first = runs.gate(state=State.WARNED, level=Level.INFORMATIONAL, definition="")
    assert series_of(ran_all((first,), (found(5),)))[NAME, ""].change == 2
    assert series_of(ran_all((found(5),), (first,)))[NAME, ""].change == -2


def test_a_gate_that_was_gone_and_is_back_has_a_gap():
    other = runs.gate("02_b")
    document = ran_all((other,), (found(3), other), (other,), (other,), (found(4), other))
    assert counts(document) == [3, None, None, 4]
    assert series_of(document)[NAME, ""].change == 1
    assert counts(document, "02_b") == [0, 0, 0, 0, 0]
    assert (NAME, "") not in series_of(ran(document, other))


def test_each_place_is_a_series_of_its_own():
    sample, unnamed = {}, {"targets": (runs.target(""),)}
    eu, us = {"target": "eu"}, {"target": "us"}
    both = {"targets": (runs.target(), runs.target("us"))}
    document = ran_all(
        ((found(1),), sample),
        ((found(10, **eu),), EU),
        ((found(100),), unnamed),
        ((found(2),), sample),
        ((found(20, **eu), found(200, **us)), both),
        ((SILENT,), sample),
        ((found(30, **eu),), EU),
    )
    assert counts(document, target="eu") == [10, 20, 30]
    assert [*document["history"][4]["gates"]] == [f"eu/{NAME}", f"us/{NAME}"]
    assert counts(ran(document, found(3), day=8)) == [1, 2, None, 3]
    assert counts(ran(document, found(101), day=8, **unnamed)) == [100, 101]
    assert counts(ran(document, found(201, **us), day=8, **both), target="us") == [200, 201]


def test_a_run_on_targets_after_one_on_the_sample_has_no_change():
    series = series_of(ran_all(((found(3),), {}), ((found(5, target="eu"),), EU)))[NAME, "eu"]
    assert (series.earlier, series.said) == ((), "first run")


def test_a_target_that_could_not_be_reached_is_a_gap():
    down = runs.without_result(Cause.UNREACHABLE, target="eu")
    document = ran_all(*(((each,), EU) for each in (found(1, target="eu"), down)))
    assert counts(ran(document, found(2, target="eu"), day=3, **EU), target="eu") == [1, None, 2]


def test_an_interrupted_run_is_a_gap_and_one_that_asked_no_gate_is_none():
    interrupted = {"finished": False, "gates_in_suite": (NAME,)}
    document = ran_all(((found(3),), {}), ((), interrupted))
    assert counts(ran(document, found(4), day=3)) == [3, None, 4]
    batches = {"counts": {"passed": 3}, "gates_in_suite": (NAME,)}
    document = ran_all(((found(3),), {}), *(((), batches) for _ in range(KEPT)))
    assert counts(ran(document, found(4), day=25)) == [3, 4]
    partly = {"finished": False}
    document = ran_all(((found(3), runs.gate("02_b")), {}), ((runs.gate("02_b"),), partly))
    assert counts(ran(document, found(4), day=3)) == [3, None, 4]


def test_another_projects_runs_are_no_history():
    other = runs.document(found(3), about_project="depot")
    assert extended(other, "shop") == []
    assert extended(other, "depot") != []
    assert extended(None, "depot") == []


def test_hostile_names_stay_apart_and_can_be_written(tmp_path):
    hostile = runs.hostile()
    path = tmp_path / REPORT
    for _ in range(3):
        document = document_of(hostile, judge(hostile), runs.about(started=runs.HOSTILE))
        document["verdict"]["text"] = runs.HOSTILE * 100
        document["history"] = extended(read_document(path) if path.exists() else None, "shop")
        write_document(document, path)
    again = read_document(path)
    assert len(again["history"]) == 2
    assert all(len(entry["verdict"]) <= 200 for entry in again["history"])
    assert {len(series.earlier) for series in series_of(again).values()} == {2}
    assert [series.change for series in series_of(again).values()] == [0, None]
    assert json.dumps(again["history"], ensure_ascii=False).encode()
    again["history"][0]["gates"]["\ud800"] = ["\ud800", 1, "\ud800"]
    assert json.dumps(extended(again, "shop"), ensure_ascii=False).encode()


@pytest.mark.parametrize("count", [-1, True, 10**30])
def test_a_count_that_is_none_is_not_carried_along(count):
    document = runs.document(found(3))
    document["gates"][0]["count"] = count
    assert extended(document, "shop")[0]["gates"] == {NAME: ["a1", None, "failed"]}
    assert counts(document) == [None]


def test_a_name_with_a_slash_is_no_other_gates():
    documents = [
        runs.document(found(3, name="b/01_x")),
        runs.document(found(4, name="01_x", target="b"), targets=(runs.target("b"),)),
    ]
    keys = [[*extended(each, "shop")[0]["gates"]] for each in documents]
    assert keys == [["b/01_x"], ["b/01_x"]]
    # Gates are files, whose names hold no slash; so it is the place alone that may.
    assert series_of(ran(documents[1], runs.gate("01_x", target="a/b")))["01_x", "a/b"].last is None


def entry(**given):
    return {"started": "s", "verdict": "v", "outcome": "o", "gates": {}, **given}


@pytest.mark.parametrize(
    ("history", "sound"),
    [
        pytest.param([], True, id="none"),
        pytest.param(
            [entry(gates={"a": ["d", 3, "failed"], "b": ["", None, ""]})], True, id="ours"
        ),
        pytest.param([entry(more=1)], True, id="more-than-we-know"),
        pytest.param(None, False, id="null"),
        pytest.param({}, False, id="no-list"),
        pytest.param(["x"], False, id="text"),
        pytest.param([entry(), entry(started=3)], False, id="no-date"),
        pytest.param([entry(gates=[])], False, id="no-gates"),
        pytest.param([entry(gates={"a": "abc"})], False, id="no-list-of-three"),
        pytest.param([entry(gates={"a": []})], False, id="nothing-told"),
        pytest.param([entry(gates={"a": ["d", 3]})], False, id="too-little"),
        pytest.param([entry(gates={"a": ["d", 3, "failed", 1]})], False, id="too-much"),
        pytest.param([entry(gates={"a": ["d", 3.5, "failed"]})], False, id="half-a-row"),
        pytest.param([entry(gates={"a": ["d", -1, "failed"]})], False, id="less-than-none"),
        pytest.param([entry(gates={"a": ["d", True, "failed"]})], False, id="true"),
        pytest.param([entry(gates={"a": ["d", 10**30, "failed"]})], False, id="too-large"),
        pytest.param([entry(gates={"a": ["d", "3", "failed"]})], False, id="text-as-number"),
        pytest.param([entry(gates={"a": [None, 3, "failed"]})], False, id="no-definition"),
    ],
)
def test_a_history_that_was_not_written_by_us_is_refused(tmp_path, history, sound):
    document = runs.document(found(3))
    document["history"] = history
    (tmp_path / REPORT).write_text(json.dumps(document))
    if sound:
        assert extended(read_document(tmp_path / REPORT), "shop")
        return
    with pytest.raises(SuiteError, match="history"):
        read_document(tmp_path / REPORT)


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "reports").mkdir()
    folders = {name: tmp_path / name for name in ("sql", "gates", "sample", "reports")}
    return Settings(root=tmp_path, **folders)


def looked_up(settings, project="shop"):
    return earlier_run(settings, REPORT, project)


def lay(settings, text):
    path = settings.reports / REPORT
    text = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_report_that_is_about_to_be_replaced_is_the_earlier_run(settings):
    document = runs.document(found(3))
    path = settings.reports / REPORT
    write_document(document, path)
    assert looked_up(settings) == Earlier(read_document(path))
    assert looked_up(settings).document["gates"][0]["count"] == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("{", "expected the report of an earlier run, found no JSON", id="corrupt"),
        pytest.param("", "expected the report of an earlier run, found no JSON", id="empty"),
        pytest.param(
            b"\xff\xfe{", "expected the report of an earlier run, found no JSON", id="bytes"
        ),
        pytest.param(
            "[" * 100_000, "expected the report of an earlier run, found no JSON", id="deep"
        ),
        pytest.param("[1]", "expected a report of batchgate, found other JSON", id="foreign-json"),
        pytest.param(
            {"format": "batchgate-report", "schema_version": SCHEMA_VERSION + 1},
            f"expected a report of version {SCHEMA_VERSION} or older, found {SCHEMA_VERSION + 1}",
            id="newer",
        ),
        pytest.param(
            {**runs.document(), "gates": 3},
            f"expected a report of version {SCHEMA_VERSION}, found no gates",
            id="cut-about",
        ),
        pytest.param(
            {**runs.document(), "history": [{"started": "password=secret"}]},
            f"expected a report of version {SCHEMA_VERSION},"
            " found no earlier run (history, entry 1)",
            id="history-of-others",
        ),
    ],
)
def test_what_merely_lies_there_is_no_error_but_no_earlier_run(settings, text, why):
    lay(settings, text)
    assert looked_up(settings) == Earlier(why=f"reports/report.json: {why}")


def test_a_report_of_another_project_is_no_earlier_run(settings):
    lay(settings, runs.document(about_project="de\u202epot\n" + "x" * 500))
    why = looked_up(settings).why
    assert why.startswith("reports/report.json is of another project, de\\u202epot x")
    assert (len(why) < 130, why.isprintable()) == (True, True)
    lay(settings, runs.document(about_project="shop"))
    assert looked_up(settings).document


def test_where_nothing_can_be_read_there_is_no_earlier_run(settings):
    path = settings.reports / REPORT
    assert looked_up(settings) == Earlier(why="reports/report.json is not there yet")
    path.mkdir()
    assert looked_up(settings) == Earlier(why="reports/report.json is no file")
    path.rmdir()
    os.mkfifo(path)
    assert looked_up(settings) == Earlier(why="reports/report.json is no file")
    path.unlink()
    path.symlink_to(path.with_name("gone"))
    assert looked_up(settings) == Earlier(why="reports/report.json is no file")
    settings.reports.joinpath("x").write_text("")
    missing = replace(settings, reports=settings.reports / "x")
    assert looked_up(missing) == Earlier(why="reports/x/report.json is not there yet")


def test_a_file_that_was_named_is_the_earlier_run_whatever_lies_there(settings, tmp_path):
    lay(settings, runs.document(found(3)))
    named = replace(settings, compare=tmp_path / "last.json")
    assert looked_up(named) == Earlier(why="last.json is not there yet")
    (tmp_path / "last.json").write_text(json.dumps(runs.document(found(7), about_project="depot")))
    document = looked_up(named).document
    assert document["gates"][0]["count"] == 7
    assert extended(document, "shop") == []


def test_a_file_that_was_named_and_cannot_be_used_is_an_error(settings, tmp_path):
    lay(settings, runs.document(found(3)))
    (tmp_path / "last.json").write_text("{")
    (tmp_path / "link.json").symlink_to(tmp_path / "gone")
    for name in ("last.json", "link.json"):
        with pytest.raises(SuiteError, match="expected the report of an earlier run"):
            looked_up(replace(settings, compare=tmp_path / name))
