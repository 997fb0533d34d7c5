"""A failure that was printed is read, however the script ended."""

import pytest

from batchgate.printed import claims, failures_in, printed_failures, turned_failures
from batchgate.psqloutput import Output, ScriptRun

AT = "sql/01_x/validation.sql:1"


def run_that_said(kind: str, text: str) -> ScriptRun:
    return ScriptRun((Output(kind, text, AT),), None, 0)


@pytest.mark.parametrize(
    ("kind", "text", "failures"),
    [
        pytest.param("echo", "FAIL: no currency", ["FAIL: no currency"], id="echo"),
        pytest.param("echo", "✗ no currency", ["✗ no currency"], id="cross"),
        pytest.param("notice", "NOTICE:  FAILED: x", ["NOTICE:  FAILED: x"], id="notice"),
        pytest.param("notice", "WARNING:  ✗ FAIL", ["WARNING:  ✗ FAIL"], id="warning"),
        pytest.param("notice", "NOTICE:  one\nFAIL two", ["FAIL two"], id="later-line"),
        pytest.param("notice", "NOTICE:  Failed: x", ["NOTICE:  Failed: x"], id="capitalised"),
        pytest.param("notice", "INFO:  MISSING: x", ["INFO:  MISSING: x"], id="missing"),
        pytest.param("error", "ERROR:  no such column", ["ERROR:  no such column"], id="error"),
        pytest.param("echo", "[FAIL] x", ["[FAIL] x"], id="in-brackets"),
        pytest.param("echo", "index x ... FAILED", ["index x ... FAILED"], id="after-dots"),
        pytest.param("echo", "TEST 3: FAIL", ["TEST 3: FAIL"], id="after-a-colon"),
        pytest.param("echo", "2 of 8 tests failed", ["2 of 8 tests failed"], id="counted"),
        pytest.param("echo", "5 passed, 1 failed", ["5 passed, 1 failed"], id="summary"),
        pytest.param("echo", "violations: 3", ["violations: 3"], id="violations"),
        pytest.param("echo", "ok: f", ["ok: f"], id="denied"),
        pytest.param("table", "ok\nnot ok 1 - x\n(1 row)", ["ok=not ok 1 - x"], id="tap"),
        pytest.param("table", "check | ok\n7 | f\n(1 row)", ["check=•••• | ok=f"], id="claim"),
        pytest.param("table", "is_ok\nfalse\n(1 row)", ["is_ok=false"], id="claim-in-words"),
        pytest.param("table", "violations\n3\n(1 row)", ["violations=3"], id="offences"),
        pytest.param(
            "table", "check | result\nrows | FAIL\n(1 row)", ["check=•••• | result=FAIL"], id="cell"
        ),
        pytest.param("table", "FAIL: copied out", ["FAIL: copied out"], id="copied-out"),
        pytest.param("table", "FAIL | PASS\n0 | 7\n(1 row)", [], id="heading"),
        pytest.param("table", "state | count\nFAIL | 0\n(1 row)", [], id="a-count-of-none"),
        pytest.param("table", "violations\n0\n(1 row)", [], id="no-offence"),
        pytest.param("table", "passed\nt\n(1 row)", [], id="claim-that-holds"),
        pytest.param("table", "failed_jobs\n3\n(1 row)", [], id="a-figure"),
        pytest.param("table", "id | failed\n3 | t\n(1 row)", [], id="a-column-of-jobs"),
        pytest.param("table", "valid\nf\n(1 row)", [], id="a-constraint-not-yet-valid"),
        pytest.param("echo", "FAILED: 0", [], id="none-failed"),
        pytest.param("echo", "0 failures", [], id="no-failures"),
        pytest.param("echo", "8 passed, 0 failed", [], id="summary-of-none"),
        pytest.param("echo", "failures: none", [], id="failures-none"),
        pytest.param("echo", "✓ PASS: failures are logged", [], id="prose"),
        pytest.param("echo", "PASS: a bad row was rejected: FAILED", [], id="pass-of-a-failure"),
        pytest.param("echo", "ok 1 - a missing key fails", [], id="tap-that-holds"),
        pytest.param("echo", "not ok 2 - x # TODO later", [], id="tap-expected-to-fail"),
        pytest.param("echo", "Failed jobs are kept", [], id="a-sentence"),
        pytest.param("echo", "3 failed jobs were archived", [], id="a-count-of-jobs"),
        pytest.param("echo", "ERROR handling works", [], id="a-topic"),
        pytest.param("notice", "NOTICE:  not exercised: t is empty", [], id="not-exercised"),
        pytest.param("notice", "WARNING:  there is no transaction", [], id="a-mere-warning"),
    ],
)
def test_what_says_failure_is_a_failure(kind, text, failures):
    assert printed_failures(run_that_said(kind, text)) == failures


def test_a_failure_knows_its_place_and_shows_the_words_of_the_script_alone():
    run = run_that_said("table", "check | who | result\nhas owner | ann | FAIL\n(1 row)")
    [failure] = failures_in(run, spoken="select 'has owner' as check, name as who, ...")
    assert failure.at == AT
    assert failure.text == "check=has owner | who=•••• | result=FAIL"


@pytest.mark.parametrize(
    ("heading", "clean", "damaged", "noticed"),
    [
        pytest.param("exists", "t", "f", True, id="true-became-false"),
        pytest.param("missing", "0", "2", True, id="a-count-rose"),
        pytest.param("status", "PASS", "FAIL", True, id="a-word"),
        pytest.param("status", "FAIL", "FAIL", False, id="known-before"),
        pytest.param("rows", "0", "2", False, id="a-figure"),
        pytest.param("rows", "7", "6", False, id="another-figure"),
        pytest.param("is_missing", "t", "f", False, id="no-longer-missing"),
    ],
)
def test_a_damage_is_noticed_by_what_turned(heading, clean, damaged, noticed):
    runs = [run_that_said("table", f"{heading}\n{cell}\n(1 row)") for cell in (damaged, clean)]
    assert bool(turned_failures(*runs)) is noticed


def test_claims_know_their_places():
    said = [("notice", "NOTICE:  ✓ x"), ("echo", "figures"), ("table", "check | is\nx | PASS\n(1)")]
    outputs = tuple(Output(kind, text, str(line)) for line, (kind, text) in enumerate(said))
    assert claims(ScriptRun(outputs, None, 0)) == ["0", "2"]
