"""What an error of the server says of a gate: each SQLSTATE by its name."""

import psycopg
import pytest

from batchgate.faults import cause_of, is_stale, remedy_of
from batchgate.findings import Cause


@pytest.mark.parametrize(
    ("sqlstate", "cause"),
    [
        ("40001", Cause.CONFLICT),
        ("40P01", Cause.CONFLICT),
        ("72000", Cause.CONFLICT),
        ("XX000", Cause.CHANGED),
        ("55P03", Cause.LOCK_WAIT),
        ("25P04", Cause.TIMED_OUT),
        ("57014", Cause.CANCELLED),
        ("42501", Cause.NOT_PERMITTED),
        ("25P03", Cause.LOST),
        ("57P01", Cause.LOST),
        ("57P04", Cause.LOST),
        ("08006", Cause.CUT),
        ("08P01", Cause.UNREACHABLE),
        ("53400", Cause.NO_ROOM),
        ("53100", Cause.NO_ROOM),
        ("53300", Cause.UNREACHABLE),
        # The gate is wrong: what it asks for is not there, or it writes.
        ("25006", Cause.NONE),
        ("42703", Cause.NONE),
        ("42P01", Cause.NONE),
        ("22P02", Cause.NONE),
        ("P0001", Cause.NONE),
        ("0A000", Cause.NONE),
    ],
)
def test_an_error_is_taken_for_what_it_is(sqlstate, cause):
    assert cause_of(psycopg.errors.lookup(sqlstate)()) is cause


def test_an_error_without_a_word_is_a_cut_only_where_the_connection_is_gone():
    assert cause_of(psycopg.OperationalError(), broken=True) is Cause.CUT
    assert cause_of(psycopg.OperationalError(), broken=False) is Cause.NONE
    # A word is believed, whatever became of the connection.
    assert cause_of(psycopg.errors.lookup("40001")(), broken=True) is Cause.CONFLICT


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause])
def test_whatever_keeps_a_gate_from_a_result_has_a_remedy(cause):
    assert remedy_of(cause).endswith(".")


@pytest.mark.parametrize("sqlstate", ["22023", "42704", "55000"])
def test_a_snapshot_that_is_gone_is_known_on_every_version(sqlstate):
    assert is_stale(psycopg.errors.lookup(sqlstate)())
    assert not is_stale(psycopg.errors.lookup("40001")())
