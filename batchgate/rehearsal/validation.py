"""What a validation must prove: it passes, leaves no trace, and is able to fail."""

import re

from batchgate.errors import BatchFailed
from batchgate.gatescript import COMMAND, gate_script
from batchgate.heights import Heights
from batchgate.printed import printed_failures
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import below, run, shown, watched
from batchgate.sqltext import read_sql
from batchgate.states import SHOWN, VALIDATION, expect_unchanged, take_state
from batchgate.suite import Batch

_NOT_EXERCISED = re.compile(r"^.*\bnot exercised\b.*$", re.MULTILINE | re.IGNORECASE)


def passes(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation passes where the batch stands."""
    with heights.clone(batch) as database:
        ran = run(heights, database, batch, batch.validation)
    if not ran.succeeded:
        raise ran.failure(
            "validation to pass",
            "Put the statement right, or what the migration made of what it checks.",
        )
    if printed := printed_failures(ran.run):
        raise BatchFailed(
            f"batch {batch.name}: expected validation to pass, it printed a failure and exited 0",
            at=ran.path,
            rows=printed[:SHOWN],
            fix="Raise an error where a check fails; set ON_ERROR_STOP at the top.",
        )
    silent = tuple(line.strip() for line in _NOT_EXERCISED.findall(ran.run.text))
    return Evidence(unexercised=silent)


def leaves_no_trace(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation leaves schema and data as it found them."""
    with watched(heights, batch) as (database, observer):
        before = take_state(observer)
        ran = run(heights, database, batch, batch.validation)
        after = take_state(observer)
    return Evidence(expect_unchanged(batch, ran.path, before, after, VALIDATION))


def fails_without_batch(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation is able to fail: where the batch was never applied."""
    with heights.clone(below(heights, batch)) as database:
        ran = run(heights, database, batch, batch.validation)
    if ran.succeeded and not printed_failures(ran.run):
        raise BatchFailed(
            f"batch {batch.name}: expected validation to fail without the batch, it passed",
            at=ran.path,
            fix="Check what the migration makes, and raise an error where it is missing.",
        )
    return Evidence((ran.run.error.message,) if ran.run.error else ())


def is_current(heights: Heights, batch: Batch) -> Evidence:
    """Prove that a validation generated from the gates is what they would give today."""
    assert batch.validation is not None
    if read_sql(batch.validation) != gate_script(heights.suite, batch, heights.settings):
        raise BatchFailed(
            f"batch {batch.name}: expected a validation generated from the gates as they are, "
            "found an older one",
            at=shown(heights, batch.validation),
            fix=f"Run: {COMMAND}",
        )
    return Evidence()
