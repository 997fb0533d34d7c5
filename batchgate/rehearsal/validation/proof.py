"""What a validation must prove: it passes, leaves no trace, and is able to fail."""

import re

from batchgate.batches import FileRun
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.printed import Failure, claims, failures_in, turned_failures
from batchgate.psqlgates import COMMAND, gate_script
from batchgate.rehearsal.blame import Blamed
from batchgate.rehearsal.course import Course, leg
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import below, refusal, run, shown, watched
from batchgate.rehearsal.validation.checklines import first_check, spoken_in, swallowing_handlers
from batchgate.script import Script, ScriptRun
from batchgate.serverwords import masked, shown_sql
from batchgate.sqltext import read_sql
from batchgate.states import SHOWN, VALIDATION, expect_unchanged, take_state
from batchgate.suite import Batch

_NOT_EXERCISED = re.compile(r"^.*\bnot exercised\b.*$", re.MULTILINE | re.IGNORECASE)
_RAISE = "Raise an exception where a check fails; set ON_ERROR_STOP at the top."
_BRING_ROWS = (
    "Let the check bring its own rows in a transaction that is rolled back, or say "
    "`not exercised` where it finds none."
)


def passes(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation passes where the batch stands."""
    ran = _ran_at(heights, batch)
    if failed := _failures(heights, batch, ran):
        fix = "Put the statement right, or what the migration made of what it checks."
        always = batch.migration and _failures(heights, batch, _ran_without(heights, batch))
        named = "it always fails: " if always and not ran.succeeded else ""
        raise _failed(ran, failed, "validation to pass", named, fix)
    return Evidence(unexercised=_not_exercised(ran.run))


def leaves_no_trace(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation leaves schema and data as it found them."""
    with watched(heights, batch) as (database, observer):
        before = take_state(observer)
        ran = run(heights, database, batch, batch.validation)
        after = take_state(observer)
    blame = Blamed(heights, Course(batch, (leg(batch, "validation.sql"),)))
    return Evidence.of(expect_unchanged(batch, ran.path, before, after, VALIDATION, blame))


def fails_without_batch(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation is able to fail: where the batch was never applied."""
    ran = _ran_without(heights, batch)
    if not ran.succeeded:
        return Evidence(refusal(ran))
    script = _script(heights, batch)
    turned = turned_failures(ran.run, _ran_at(heights, batch).run, spoken_in(script))
    if turned := failures_in(ran.run, spoken_in(script)) or turned:
        raise _failed(ran, turned, "validation to fail without the batch", "", _RAISE)
    handlers = swallowing_handlers(script)
    swallows = "this handler takes any exception and raises none of its own"
    raise BatchFailed(
        f"batch {batch.name}: expected validation to fail without the batch, "
        "it is vacuous: it passed",
        at=next(iter(handlers or claims(ran.run)), first_check(script)),
        cause=swallows if handlers else "",
        fix="Let the exception through; the block's end is soon enough for the file to stop."
        if handlers
        else "Check what the migration makes, and raise an exception where it is missing.",
    )


def holds_on_empty_tables(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation passes where the batch stands and no table has a row."""
    try:
        clone = heights.clone(batch, sample=False)
    except BatchFailed as failure:
        headline = failure.message.headline
        return Evidence(unexercised=(f"without the sample data, {headline}",))
    with clone as database:
        ran = run(heights, database, batch, batch.validation)
    failed = _failures(heights, batch, ran)
    if not failed:
        return Evidence(_not_exercised(ran.run))
    if _failures(heights, batch, _ran_at(heights, batch)):
        return Evidence(unexercised=("with rows, the validation does not pass either",))
    if silent := _not_exercised(ran.run):
        return Evidence(unexercised=silent)
    expected, named = "validation to pass on empty tables", "it is data-starved: "
    raise _failed(ran, failed, expected, named, _BRING_ROWS)


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


def _ran_at(heights: Heights, batch: Batch) -> FileRun:
    with heights.clone(batch) as database:
        return run(heights, database, batch, batch.validation)


def _ran_without(heights: Heights, batch: Batch) -> FileRun:
    with heights.clone(below(heights, batch)) as database:
        return run(heights, database, batch, batch.validation)


def _script(heights: Heights, batch: Batch) -> Script:
    assert batch.validation is not None
    return Script(batch.validation, heights.settings.root)


def _failures(heights: Heights, batch: Batch, ran: FileRun) -> list[Failure]:
    """Return what failed in a run: what stopped it, or else what it printed."""
    if error := ran.run.error:
        return [Failure(error.headline, error.at)]
    return failures_in(ran.run, spoken_in(_script(heights, batch)))


def _failed(
    ran: FileRun, failures: list[Failure], expected: str, named: str, fix: str
) -> BatchFailed:
    """Return the message of a run that failed, in an error or in words alone."""
    headline, error = f"batch {ran.batch.name}: expected {expected}, {named}", ran.run.error
    if error is None:
        return BatchFailed(
            f"{headline}{'' if named else 'it '}printed a failure and exited 0",
            at=failures[0].at,
            rows=[failure.text for failure in failures[:SHOWN]],
            fix=_RAISE,
        )
    return BatchFailed(
        f"{headline}{error.headline}",
        at=error.at,
        sql=shown_sql(error.sql),
        cause=masked(error.cause, error.sqlstate),
        fix=fix,
    )


def _not_exercised(run: ScriptRun) -> tuple[str, ...]:
    return tuple(line.strip() for line in _NOT_EXERCISED.findall(run.text))
