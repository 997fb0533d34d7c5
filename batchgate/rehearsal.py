"""What every batch must prove: applied, run twice, rolled back, applied again, validated."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from batchgate.batches import FileRun, apply_batch, roll_back_batch, run_file
from batchgate.catalog import take_snapshot
from batchgate.errors import BatchFailed
from batchgate.gates import is_present
from batchgate.gatescript import COMMAND, gate_script, is_ours
from batchgate.heights import Heights
from batchgate.printed import printed_failures
from batchgate.sqltext import read_sql
from batchgate.states import (
    SECOND_RUN,
    SHOWN,
    VALIDATION,
    WITHOUT_BATCH,
    Notes,
    State,
    changed_and_empty,
    expect_data,
    expect_schema,
    expect_unchanged,
    take_state,
)
from batchgate.suite import Batch

_NOT_EXERCISED = re.compile(r"^.*\bnot exercised\b.*$", re.MULTILINE | re.IGNORECASE)

Check = Callable[[Heights, Batch], Notes]


def applies(heights: Heights, batch: Batch) -> Notes:
    """Prove that the migration goes through, and that `present` tells before from after."""
    with _watched(heights, _below(heights, batch)) as (database, observer):
        _expect_present(observer, heights, batch, expected=False, when="before it is applied")
        before = take_state(observer)
        with heights.connect(database) as session:
            ran = apply_batch(session, heights.settings, batch)
        _expect_present(observer, heights, batch, expected=True, when="once it is applied")
        after = take_state(observer)
    if before == after:
        return (*_said(ran), "not exercised: the migration changed nothing on this data")
    return _said(ran)


def second_run(heights: Heights, batch: Batch) -> Notes:
    """Prove that a second run changes nothing, or is refused and changes nothing."""
    assert batch.migration is not None
    with _watched(heights, _below(heights, batch)) as (database, observer):
        with heights.connect(database) as session:
            apply_batch(session, heights.settings, batch)
        before = take_state(observer)
        with heights.connect(database) as session:
            ran = run_file(session, heights.settings, batch, batch.migration)
        notes = expect_unchanged(batch, ran.path, before, take_state(observer), SECOND_RUN)
    return notes if ran.run.error is None else (f"refused: {ran.run.error.message}",)


def restores_schema(heights: Heights, batch: Batch) -> Notes:
    """Prove that the rollback restores the schema to the last attribute."""
    before, _, after = _there_and_back(heights, batch)
    return expect_schema(
        batch, _path(heights, batch), before.schema, after.schema, "rollback to restore the schema"
    )


def restores_data(heights: Heights, batch: Batch) -> Notes:
    """Prove that the rollback restores every row that stood before."""
    before, applied, after = _there_and_back(heights, batch)
    notes = expect_data(
        batch,
        _path(heights, batch),
        before.contents,
        after.contents,
        "rollback to restore the data",
    )
    return notes + tuple(
        f"not exercised: the batch changes {table}, which has no row in this data"
        for table in changed_and_empty(before, applied)
    )


def applies_again(heights: Heights, batch: Batch) -> Notes:
    """Prove that after a rollback the batch applies again, with the same schema as before."""
    with heights.clone(_below(heights, batch)) as database:
        with heights.connect(database) as session:
            apply_batch(session, heights.settings, batch)
        with heights.connect(database) as session:
            first = take_snapshot(session)
        with heights.connect(database) as session:
            roll_back_batch(session, heights.settings, batch)
        with heights.connect(database) as session:
            apply_batch(session, heights.settings, batch)
        with heights.connect(database) as session:
            _expect_present(session, heights, batch, expected=True, when="applied again")
            second = take_snapshot(session)
    return expect_schema(
        batch, _path(heights, batch), first, second, "the same schema when applied again"
    )


def harmless_where_absent(heights: Heights, batch: Batch) -> Notes:
    """Prove that the rollback changes nothing where the batch never ran."""
    assert batch.rollback is not None
    with _watched(heights, _below(heights, batch)) as (database, observer):
        before = take_state(observer)
        with heights.connect(database) as session:
            ran = run_file(session, heights.settings, batch, batch.rollback)
        after = take_state(observer)
    notes = expect_unchanged(batch, ran.path, before, after, WITHOUT_BATCH)
    return notes if ran.run.error is None else (f"refused: {ran.run.error.message}",)


def passes(heights: Heights, batch: Batch) -> Notes:
    """Prove that the validation passes where the batch stands."""
    with heights.clone(batch) as database, heights.connect(database) as session:
        ran = _validate(session, heights, batch)
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
    return tuple(line.strip() for line in _NOT_EXERCISED.findall(ran.run.text))


def leaves_no_trace(heights: Heights, batch: Batch) -> Notes:
    """Prove that the validation leaves schema and data as it found them."""
    with _watched(heights, batch) as (database, observer):
        before = take_state(observer)
        with heights.connect(database) as session:
            ran = _validate(session, heights, batch)
        after = take_state(observer)
    return expect_unchanged(batch, ran.path, before, after, VALIDATION)


def fails_without_batch(heights: Heights, batch: Batch) -> Notes:
    """Prove that the validation is able to fail: where the batch was never applied."""
    with heights.clone(_below(heights, batch)) as database, heights.connect(database) as session:
        ran = _validate(session, heights, batch)
    if ran.succeeded and not printed_failures(ran.run):
        raise BatchFailed(
            f"batch {batch.name}: expected validation to fail without the batch, it passed",
            at=ran.path,
            fix="Check what the migration makes, and raise an error where it is missing.",
        )
    return (ran.run.error.message,) if ran.run.error else ()


def is_current(heights: Heights, batch: Batch) -> Notes:
    """Prove that a validation generated from the gates is what they would give today."""
    assert batch.validation is not None
    path = heights.settings.relative(batch.validation)
    if read_sql(batch.validation) != gate_script(heights.suite, batch, heights.settings):
        raise BatchFailed(
            f"batch {batch.name}: expected a validation generated from the gates as they are, "
            "found an older one",
            at=path,
            fix=f"Run: {COMMAND}",
        )
    return ()


def checks_of(batch: Batch) -> dict[str, dict[str, Check]]:
    """Return what a batch's files have to prove: by file, by the check's name."""
    checks: dict[str, dict[str, Check]] = {}
    if batch.migration:
        checks["migration.sql"] = {"applies": applies, "second-run": second_run}
    if batch.validation:
        checks["validation.sql"] = {"passes": passes, "leaves-no-trace": leaves_no_trace}
        if batch.migration:
            checks["validation.sql"]["fails-without-batch"] = fails_without_batch
        if is_ours(batch):
            checks["validation.sql"]["is-current"] = is_current
    if batch.rollback:
        checks["rollback.sql"] = {
            "restores-schema": restores_schema,
            "restores-data": restores_data,
            "applies-again": applies_again,
            "harmless-where-absent": harmless_where_absent,
        }
    return checks


def _there_and_back(heights: Heights, batch: Batch) -> tuple[State, State, State]:
    """Apply and roll back, the rollback in a session of its own: before, between and after."""
    with _watched(heights, _below(heights, batch)) as (database, observer):
        before = take_state(observer)
        with heights.connect(database) as session:
            apply_batch(session, heights.settings, batch)
        applied = take_state(observer)
        with heights.connect(database) as session:
            roll_back_batch(session, heights.settings, batch)
        return before, applied, take_state(observer)


@contextmanager
def _watched(heights: Heights, batch: Batch | None) -> Iterator[tuple[str, psycopg.Connection]]:
    """Give a clone and a session that only looks: its second look at the catalogs is cheap."""
    with heights.clone(batch) as database, heights.connect(database) as observer:
        yield database, observer


def _said(ran: FileRun) -> Notes:
    """Return what a file said in words; rows that it printed may be people's data."""
    words = (output.text for output in ran.run.outputs if output.kind in ("notice", "echo"))
    return tuple(line for text in words for line in text.splitlines())


def _below(heights: Heights, batch: Batch) -> Batch | None:
    return heights.suite.below(batch)


def _path(heights: Heights, batch: Batch) -> str:
    assert batch.rollback is not None
    return heights.settings.relative(batch.rollback)


def _validate(session: psycopg.Connection, heights: Heights, batch: Batch) -> FileRun:
    assert batch.validation is not None
    return run_file(session, heights.settings, batch, batch.validation)


def _expect_present(
    session: psycopg.Connection, heights: Heights, batch: Batch, *, expected: bool, when: str
) -> None:
    assert batch.migration is not None
    if batch.present and is_present(session, batch) is not expected:
        raise BatchFailed(
            f"batch {batch.name}: expected `present` to be {str(expected).lower()} {when}, "
            f"found {str(not expected).lower()}",
            at=f"{heights.settings.relative(batch.migration)}:{batch.header.line('present')}",
            fix="Ask for something that stands exactly while the batch does.",
        )
