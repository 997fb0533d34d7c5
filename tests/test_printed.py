"""A failure that was printed is read, however the script ended."""

import pytest

from batchgate.printed import printed_failures
from batchgate.psqloutput import Output, ScriptRun


@pytest.mark.parametrize(
    ("kind", "text", "failures"),
    [
        pytest.param("echo", "FAIL: no currency", ["FAIL: no currency"], id="echo"),
        pytest.param("echo", "✗ no currency", ["✗ no currency"], id="cross"),
        pytest.param("notice", "NOTICE:  FAILED: x", ["NOTICE:  FAILED: x"], id="notice"),
        pytest.param("notice", "WARNING:  ✗ FAIL", ["WARNING:  ✗ FAIL"], id="warning"),
        pytest.param("notice", "NOTICE:  one\nFAIL two", ["FAIL two"], id="later-line"),
        pytest.param("error", "ERROR:  no such column", ["ERROR:  no such column"], id="error"),
        pytest.param(
            "table", "check | result\nrows | FAIL\n(1 row)", ["rows | FAIL"], id="any-cell"
        ),
        pytest.param("table", "FAIL | PASS\n0 | 7\n(1 row)", [], id="heading"),
        pytest.param("table", "state | count\nFAIL | 0\n(1 row)", [], id="a-count-of-none"),
        pytest.param("echo", "FAILED: 0", [], id="none-failed"),
        pytest.param("echo", "✓ PASS: failures are logged", [], id="prose"),
        pytest.param("notice", "NOTICE:  not exercised: t is empty", [], id="not-exercised"),
    ],
)
def test_what_says_failure_is_a_failure(kind, text, failures):
    run = ScriptRun((Output(kind, text, "sql/01_x/validation.sql:1"),), None, 0)
    assert printed_failures(run) == failures
