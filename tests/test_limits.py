"""The limits of a gate's transaction: their defaults, and what a user may write."""

import pytest

from batchgate.errors import SuiteError
from batchgate.limits import LIMITS, Limits, limits_from, seconds_of


def test_without_a_word_the_limits_are_those_of_a_careful_guest():
    settings = Limits().settings(180000)
    assert settings == {
        "statement_timeout": "30s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "60s",
        "transaction_timeout": "10min",
        "client_connection_check_interval": "1s",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "work_mem": "64MB",
        "cursor_tuple_fraction": "1.0",
        "search_path": "public",
        "row_security": "off",
        "timezone": "UTC",
        "datestyle": "ISO, YMD",
        "intervalstyle": "postgres",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        "standard_conforming_strings": "on",
    }


@pytest.mark.parametrize("version", [140000, 160014])
def test_a_server_is_not_told_what_it_does_not_know(version):
    assert "transaction_timeout" not in Limits().settings(version)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("statement_timeout", "30 parsecs", "a duration", id="unit"),
        pytest.param("statement_timeout", "-1", "a duration", id="negative"),
        pytest.param("lock_timeout", "", "a duration", id="empty"),
        pytest.param("statement_timeout", "٣٠s", "a duration", id="other-digits"),
        pytest.param("statement_timeout", "9999999999d", "a duration", id="too-long"),
        pytest.param("work_mem", "1kB", "an amount of memory", id="too-little"),
        pytest.param("work_mem", "much", "an amount of memory", id="memory"),
        pytest.param("max_parallel_workers_per_gather", "two", "a whole number", id="number"),
        pytest.param("cursor_tuple_fraction", "1.5", "a number above 0, at most 1", id="fraction"),
        pytest.param("jit", "maybe", "on or off", id="switch"),
        pytest.param("search_path", "", "schemas", id="names"),
    ],
)
def test_a_value_that_the_server_would_not_take_is_refused_before_any_connection(
    name, value, expected
):
    with pytest.raises(SuiteError, match=f"--x: expected {expected}.*, found"):
        limits_from({name: (value, "--x")})


def test_what_is_given_replaces_the_default_and_nothing_else():
    limits = limits_from({"work_mem": ("4MB", "--work-mem"), "search_path": ("app, public", "ini")})
    assert (limits.work_mem, limits.search_path) == ("4MB", "app, public")
    assert limits.statement_timeout == LIMITS["statement_timeout"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("500ms", 0.5),
        ("250", 0.25),
        ("2min", 120.0),
        ("1 h", 3600.0),
        ("1d", 86400.0),
        ("0", 0.0),
    ],
)
def test_a_duration_is_read_as_postgresql_writes_it(text, seconds):
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("given", "patience"),
    [
        pytest.param({}, 35.0, id="the-statement's-limit"),
        pytest.param({"statement_timeout": "0"}, 605.0, id="else-the-transaction's"),
        pytest.param({"statement_timeout": "0", "transaction_timeout": "0"}, None, id="else-none"),
    ],
)
def test_a_server_that_says_nothing_is_given_up_a_little_after_its_own_limit(given, patience):
    assert Limits(**given).patience == patience
