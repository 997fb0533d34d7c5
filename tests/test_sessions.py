"""Sessions answer for what the server did, and say so when it did something else."""

import pytest

from batchgate import sessions
from batchgate.errors import BatchgateError, SessionTimeout

HELD = "select pg_advisory_lock(7)"


@pytest.fixture
def pair(at_batch, session):
    at_batch(None)
    return session("one"), session("two")


def test_rows_without_columns_are_rows_all_the_same(pair):
    one, _ = pair
    assert one.run("select from generate_series(1, 2)") == [(), ()]
    assert one.run("create table t (a int)") == []


def test_a_wait_is_observed_and_ends_with_the_lock(pair):
    one, two = pair
    one.run(HELD)
    attempt = two.start(HELD)
    attempt.waits_on(one)
    one.run("select pg_advisory_unlock_all()")
    assert attempt.succeeds() == [("",)]


def test_an_attempt_that_does_not_wait_is_found_out(pair):
    one, two = pair
    attempt = two.start("select 1")
    with pytest.raises(SessionTimeout, match="found that it ended: it succeeded"):
        attempt.waits_on(one)


def test_an_attempt_that_never_ends_is_given_up(pair, monkeypatch):
    monkeypatch.setattr(sessions, "PATIENCE", 0.05)
    one, two = pair
    one.run(HELD)
    attempt = two.start(HELD)
    with pytest.raises(SessionTimeout, match="expected an answer"):
        attempt.succeeds()


def test_an_unexpected_success_is_no_refusal(pair):
    one, _ = pair
    with pytest.raises(BatchgateError, match="found that it succeeded"):
        one.is_refused("select 1", "23505")


def test_a_refusal_by_another_constraint_is_no_proof(pair):
    one, _ = pair
    one.run("create table t (a int constraint positive check (a > 0))")
    one.is_refused("insert into t values (0)", "23514", by="positive")
    with pytest.raises(BatchgateError, match=r"found \[23514\].* by positive"):
        one.is_refused("insert into t values (0)", "23514", by="even")


def test_an_unexpected_failure_says_which(pair):
    one, _ = pair
    with pytest.raises(BatchgateError, match=r"expected success, found \[22012\]"):
        one.start("select 1 / 0").succeeds()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("select 1 where false", "0 rows"),
        ("select generate_series(1, 3)", "3 rows"),
        ("create table t (a int)", "0 rows"),
        ("select", "a row without columns"),
    ],
)
def test_a_value_is_the_first_cell_of_the_only_row(pair, statement, found):
    one, _ = pair
    assert one.value("select 1, 2") == 1
    with pytest.raises(BatchgateError, match=f"expected one row with a cell, found {found}"):
        one.value(statement)


def test_what_a_session_met_is_told_with_the_line_of_the_test(pytester):
    pytester.makepyfile(
        test_orders="""
        def refused(one):
            one.is_refused("select 1", "23505")

        def test_it_is_refused(at_batch, session):
            at_batch(None)
            refused(session("one"))
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["session one: expected to fail with*", "  at: test_orders.py:2", "  sql: select 1"]
    )
