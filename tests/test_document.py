"""report.json holds all of a run, as its schema says, and is refused where it is something else."""

import json
import os
import stat
from dataclasses import fields, replace
from pathlib import Path
from time import perf_counter

import pytest
import runs
from strict import SCHEMA, validation_error, validator

from batchgate.errors import SuiteError
from batchgate.findings import Cause, Row, State
from batchgate.outcomes.document import (
    About,
    document_of,
    scrubbed,
    write_document,
)
from batchgate.outcomes.reading import SCHEMA_VERSION, read_document
from batchgate.outcomes.restoring import about_of, run_of, verdict_of
from batchgate.outcomes.words import cut_lines, cut_text, visible
from batchgate.outcomes.writing import replace_file
from batchgate.particulars import Change, Leg, Lock, Mutant, Particulars
from batchgate.run import CheckResult, GateResult, Promised, Run, TargetReport, TestResult
from batchgate.verdict import Outcome, Verdict, judge

DOCS = Path(__file__).parent.parent / "docs"


def written(run: Run, path: Path, **given):
    """Write a run's document, read it again, and hold it to the schema."""
    write_document(document_of(run, judge(run), runs.about(**given)), path)
    document = json.loads(path.read_bytes())
    validator().validate(document)
    return document


def test_a_run_can_be_rebuilt_from_its_document(tmp_path):
    run = runs.everything()
    document = written(run, tmp_path / "report.json")
    rebuilt = run_of(document)
    for each in fields(Run):
        assert _listed(getattr(rebuilt, each.name)) == _listed(getattr(run, each.name)), each.name
    assert verdict_of(document) == judge(run)
    assert about_of(document) == runs.about()
    assert run_of(json.loads(json.dumps(runs.document(runs.gate(cost=2.5))))).gates[0].cost == 2.5


def _listed(value):
    return list(value) if isinstance(value, tuple) else value


def test_a_document_is_that_of_the_run_rebuilt_from_it(tmp_path):
    for run in (runs.everything(), runs.hostile()):
        document = written(run, tmp_path / "report.json")
        again = document_of(run_of(document), verdict_of(document), about_of(document))
        assert json.loads(json.dumps(again)) == document


def test_what_an_older_document_does_not_hold_is_empty(tmp_path):
    document = written(runs.everything(), tmp_path / "report.json")
    for name in ("tests", "since", "history", "gates_in_suite"):
        del document[name]
    for batch in document["batches"]:
        del batch["files"]
        for check in batch["checks"]:
            del check["particulars"]
    rebuilt = run_of(document)
    assert not rebuilt.tests
    assert rebuilt.checks[0].particulars == Particulars()


def test_hostile_text_is_kept_and_cannot_be_seen_to_move_anything(tmp_path):
    path = tmp_path / "report.json"
    document = written(runs.hostile(), path)
    assert document["gates"][0]["title"] == runs.HOSTILE.replace("\ud800", "\\ud800")
    text = path.read_text(encoding="utf-8")
    assert "{é}" in text
    for unseen in ("\u202e", "\u2028", "\x1b", "\x7f"):
        assert unseen in runs.HOSTILE
        assert unseen not in text


def test_the_schema_names_every_state_cause_and_outcome():
    """A slug that is renamed breaks whoever reads it: the schema is where it is pinned."""
    kinds = SCHEMA["$defs"]
    assert kinds["state"]["enum"] == [state.name.lower() for state in State]
    causes = [cause.name.lower() for cause in Cause if cause is not Cause.NONE]
    assert set(kinds["gate"]["properties"]["cause"]["enum"]) == {*causes, None}
    outcomes = SCHEMA["properties"]["verdict"]["properties"]["outcome"]["enum"]
    assert outcomes == [outcome.name.lower() for outcome in Outcome]


@pytest.mark.parametrize(
    ("kind", "part", "elsewhere"),
    [
        pytest.param(GateResult, "gate", {"sql"}, id="gate"),
        pytest.param(TargetReport, "target", set(), id="target"),
        pytest.param(CheckResult, "check", {"batch"}, id="check"),
        pytest.param(About, "about", {"exit_code"}, id="about"),
        pytest.param(TestResult, "test", set(), id="test"),
        pytest.param(Particulars, "particulars", set(), id="particulars"),
        pytest.param(Change, "change", set(), id="change"),
        pytest.param(Lock, "lock", set(), id="lock"),
        pytest.param(Mutant, "mutant", set(), id="mutant"),
        pytest.param(Leg, "leg", set(), id="leg"),
    ],
)
def test_the_schema_has_every_field_of_a_result(kind, part, elsewhere):
    properties = set(SCHEMA["$defs"][part]["properties"])
    assert {each.name for each in fields(kind)} - elsewhere <= properties


def _names(schema):
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from _names(value)


def test_every_field_and_cause_is_documented():
    page = (DOCS / "outcomes.md").read_text()
    causes = SCHEMA["$defs"]["gate"]["properties"]["cause"]["enum"]
    assert [cause for cause in causes if cause and f"| `{cause}` |" not in page] == []
    assert [name for name in _names(SCHEMA) if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda document: document.pop("verdict"), id="missing"),
        pytest.param(lambda document: document.update(more=1), id="additional"),
        pytest.param(lambda document: document["gates"][0].update(state="fine"), id="state"),
        pytest.param(lambda document: document["gates"][0].update(count="0"), id="count"),
        pytest.param(lambda document: document["gates"][0].update(dsn="x"), id="more-of-a-gate"),
        pytest.param(lambda document: document["targets"][0].pop("role"), id="target"),
    ],
)
def test_the_schema_notices_what_is_none_of_it(spoil):
    run = runs.everything()
    document = document_of(run, judge(run), runs.about())
    validator().validate(document)
    spoil(document)
    with pytest.raises(validation_error()):
        validator().validate(document)


def test_the_schema_is_one():
    validator().check_schema(SCHEMA)


def test_what_has_no_result_has_no_count(tmp_path):
    document = written(runs.everything(), tmp_path / "report.json")
    for gate in document["gates"]:
        assert (gate["count"] is None) == (gate["state"] not in ("passed", "failed", "warned"))
    assert [
        (each["name"], each["target"], each["required"]) for each in document["gates_not_run"]
    ] == [
        ("90_never_run", "eu", True),
        ("90_never_run", "us", True),
    ]
    assert document["checks_not_run"] == ["03_c/migration.sql::applies"]


def test_the_figures_count_what_there_is():
    run = runs.everything()
    figures = document_of(run, judge(run), runs.about())["figures"]
    causes = 2 * (len(Cause) - 1)
    gates = {**dict.fromkeys((state.name.lower() for state in State), 2), "no_result": 2 + causes}
    assert figures["gates"] == {
        **gates,
        "in_suite": len(State) + len(Cause),
        "results": 2 * len(State) + causes,
        "failing": 2 + causes,
        "required": 2 * (len(State) - 1) + causes,
        "required_passed": 2,
        "not_run": 2,
    }
    checks = {"in_suite": 4, "results": 3, "passed": 1, "failed": 1, "not_exercised": 1}
    assert figures["checks"] == {**checks, "not_run": 1}


def test_a_batch_has_its_number_from_where_it_is_known():
    run = runs.run(
        checks=(runs.check("07_g", "a::b", State.PASSED), runs.check("x", "a::b", State.PASSED)),
        applications=(runs.applied("other", 3, "It is there."),),
        checks_in_suite=("12_l/a::b",),
    )
    run = replace(run, promised=(Promised("named", 5),))
    document = document_of(run, judge(run), runs.about())
    numbers = [(batch["number"], batch["name"]) for batch in document["batches"]]
    assert numbers == [(0, "x"), (3, "other"), (5, "named"), (7, "07_g"), (12, "12_l")]


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        pytest.param("abc", 3, "abc", id="fits"),
        pytest.param("abcd", 3, "abc\n-- … 1 more bytes are not kept here", id="one-more"),
        pytest.param("aéé", 4, "aé\n-- … 2 more bytes are not kept here", id="half-a-character"),
    ],
)
def test_a_text_is_cut_between_characters(text, limit, kept):
    assert cut_text(text, limit) == kept


def test_a_list_of_lines_is_cut_by_number():
    assert cut_lines("ab", 2) == ["a", "b"]
    assert cut_lines("abc", 2) == ["a", "b", "-- … 1 more are not kept here"]


def test_what_is_not_seen_is_written_as_its_number():
    assert visible("\x00\xad\u0100\u202e\U000e0001é\n") == r"\x00\xadĀ\u202e\U000e0001é "


def test_a_batch_that_did_not_run_is_listed_with_what_it_owes(tmp_path):
    document = written(runs.everything(), tmp_path / "report.json")
    assert [batch["name"] for batch in document["batches"]] == ["01_a", "02_b", "03_c"]
    last = document["batches"][-1]
    assert last["owes"] == ["migration.sql::applies"]
    assert document["batches"][1]["irreversible"] == "rows are gone"
    assert last["applied"] is None


def test_long_statements_and_plans_are_cut_and_say_so(tmp_path):
    long = runs.gate(sql="é" * 500_000, plan="x" * 20_000, reason="y" * 9000, cost=float("nan"))
    document = written(runs.run(long), tmp_path / "report.json")
    (gate,) = document["gates"]
    sql = document["statements"][gate["statement"]]
    assert sql.endswith("-- … 980 000 more bytes are not kept here")
    assert gate["plan"].endswith("-- … 10 000 more bytes are not kept here")
    assert len(sql.encode()) < 20_100
    assert len(gate["plan"].encode()) < 10_100
    assert len(gate["reason"]) < 4_100
    assert gate["cost"] is None


def test_a_statement_is_kept_once_for_all_targets():
    document = runs.document(*(runs.gate(target=name) for name in "abc"))
    assert len(document["statements"]) == 1
    assert len({gate["statement"] for gate in document["gates"]}) == 1


def test_five_hundred_gates_on_five_targets_stay_small(tmp_path):
    names = [f"{at:03}_gate" for at in range(500)]
    rows = tuple(Row(tuple("abcdef"), ("x" * 30,) * 6) for _ in range(5))
    gates = [
        runs.gate(name, State.FAILED, target=target, sample=rows, sql=f"select {name} {'x' * 1000}")
        for name in names
        for target in "vwxyz"
    ]
    targets = tuple(map(runs.target, "vwxyz"))
    started = perf_counter()
    document = written(runs.run(*gates, targets=targets), tmp_path / "report.json")
    # A bound against work that grows with the square, not a measurement.
    assert perf_counter() - started < 60
    assert len(document["gates"]) == 2500
    assert (tmp_path / "report.json").stat().st_size < 8_000_000


def test_the_file_is_replaced_whole(tmp_path):
    path = tmp_path / "made" / "on the way" / "report.json"
    written(runs.run(runs.gate()), path)
    before = path.read_text()
    assert before.endswith("}\n")
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_document({"bad": float("nan")}, path)
    assert path.read_text() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_half_way_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SuiteError, match="No space left on device"):
        write_document({}, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed_and_a_pipe_is_written_to(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_document({"a": 1}, tmp_path / "link.json")
    assert json.loads((tmp_path / "real.json").read_text()) == {"a": 1}
    assert (tmp_path / "link.json").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_document({"a": 1}, tmp_path / "pipe")
        assert json.loads(os.read(reader, 1000)) == {"a": 1}
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_no_umask_keeps_a_collector_from_its_file(tmp_path):
    before = os.umask(0o077)
    try:
        replace_file(tmp_path / "private", "a")
        replace_file(tmp_path / "public", "a", mode=0o644)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("private", "public")]
    assert modes == [0o600, 0o644]


def test_a_folder_in_its_place_is_an_error_of_the_user(tmp_path):
    with pytest.raises(SuiteError, match="expected to write it"):
        write_document({}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_document_is_read_again(tmp_path):
    path = tmp_path / "report.json"
    document = written(runs.everything(), path)
    assert read_document(path) == document
    path.write_text("\ufeff" + path.read_text())
    assert read_document(path) == document


GOOD = runs.document(runs.gate())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "found no JSON", id="empty"),
        pytest.param('{"format": ', "found no JSON", id="torn"),
        pytest.param("[" * 100_000, "found no JSON", id="deep"),
        pytest.param("9" * 5000, "found no JSON", id="number"),
        pytest.param(b"\xff\xfe", "found no JSON", id="bytes"),
        pytest.param("[]", "found other JSON", id="list"),
        pytest.param('{"format": "other"}', "found other JSON", id="other"),
        pytest.param(GOOD | {"schema_version": True}, "none that is a number", id="no-version"),
        pytest.param(GOOD | {"schema_version": 99}, "or older, found 99", id="newer"),
        pytest.param(GOOD | {"gates": 5}, "found no gates", id="no-list"),
        pytest.param(GOOD | {"gates": [5]}, r"found no object \(gates, entry 1\)", id="no-object"),
        pytest.param(
            GOOD | {"gates": [GOOD["gates"][0] | {"count": "3"}]},
            r"found no count \(gates, entry 1\)",
            id="count",
        ),
        pytest.param(GOOD | {"verdict": {}}, "a verdict without outcome", id="verdict"),
        pytest.param(GOOD | {"about": {}}, "no project in about", id="about"),
        pytest.param(GOOD | {"batches": [{"name": "a", "checks": [{}]}]}, "no check", id="check"),
        pytest.param(GOOD | {"batches": [{"name": "a"}]}, "no checks", id="batch"),
    ],
)
def test_what_is_no_report_of_ours_is_refused(tmp_path, text, said):
    path = tmp_path / "previous.json"
    text = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SuiteError, match=said) as caught:
        read_document(path)
    assert caught.value.message.fix


def test_a_report_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(SuiteError, match="found no file"):
        read_document(tmp_path / "none.json")
    with pytest.raises(SuiteError, match="found: Is a directory"):
        read_document(tmp_path)


def test_every_text_of_a_document_can_be_scrubbed():
    run = runs.hostile()
    document = document_of(run, judge(run), runs.about(project="a secret", limits={"l": "secret"}))
    assert "evil" in json.dumps(document)
    cleaned = scrubbed(document, lambda text: text.replace("evil", "••••").replace("secret", ""))
    validator().validate(cleaned)
    assert "evil" not in json.dumps(cleaned)
    assert "secret" not in json.dumps(cleaned)
    assert "evil" in json.dumps(document)


def test_the_version_stands_on_top_of_the_file(tmp_path):
    path = tmp_path / "report.json"
    written(runs.run(runs.gate()), path)
    head = path.read_text().splitlines()[1:3]
    assert head == [' "format": "batchgate-report",', f' "schema_version": {SCHEMA_VERSION},']


def test_an_empty_run_has_a_document(tmp_path):
    run = replace(runs.run(), counts={}, finished=False)
    document = written(run, tmp_path / "report.json", exit_code=5)
    assert document["verdict"] == {
        "outcome": "none",
        "text": "No verdict",
        "reason": str(Verdict(Outcome.NONE, "the run did not finish").reason),
    }


def test_a_password_in_a_batchs_file_is_hidden():
    files = (("migration.sql", "create role clerk\n    password 'hunter2';\n"),)
    run = runs.run(promised=(Promised("01_a", 1, files=files),))
    told = json.dumps(document_of(run, judge(run), runs.about()), ensure_ascii=False)
    assert "hunter2" not in told
    assert "create role clerk" in told
