"""What every batch must prove: applied, run twice, rolled back, applied again, validated."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from batchgate.batches import FileRun, apply_batch, roll_back_batch, run_file
from batchgate.catalog import Snapshot, compare, take_snapshot
from batchgate.contents import Contents, compare_contents, take_contents
from batchgate.errors import BatchFailed
from batchgate.gates import is_present
from batchgate.gatescript import COMMAND, gate_script, is_ours
from batchgate.heights import Heights
from batchgate.printed import printed_failures
from batchgate.sqltext import read_sql
from batchgate.suite import Batch

_SHOWN = 20
_SECOND_RUN = "a second run to change nothing"
_VALIDATION = "its validation to change nothing"
_WITHOUT = "a rollback without the batch to change nothing"
_FIXES = {
    _SECOND_RUN: "Let the migration refuse where it stands already, or find nothing left to do.",
    _VALIDATION: "Do what the validation tries out in a transaction that is rolled back.",
    _WITHOUT: "Let the rollback refuse where the batch does not stand.",
}
_NOT_EXERCISED = re.compile(r"^.*\bnot exercised\b.*$", re.MULTILINE | re.IGNORECASE)

Notes = tuple[str, ...]
Check = Callable[[Heights, Batch], Notes]


@dataclass(frozen=True)
class State:
    """Schema and data of a database at one moment."""

    schema: Snapshot
    contents: Contents


def applies(heights: Heights, batch: Batch) -> Notes:
    """Prove that the migration goes through, and that `present` tells before from after."""
    with _watched(heights, _below(heights, batch)) as (database, observer):
        _expect_present(observer, heights, batch, expected=False, when="before it is applied")
        before = _state(observer)
        with heights.connect(database) as session:
            ran = apply_batch(session, heights.settings, batch)
        _expect_present(observer, heights, batch, expected=True, when="once it is applied")
        after = _state(observer)
    if before == after:
        return (*_said(ran), "not exercised: the migration changed nothing on this data")
    return _said(ran)


def second_run(heights: Heights, batch: Batch) -> Notes:
    """Prove that a second run changes nothing, or is refused and changes nothing."""
    assert batch.migration is not None
    with _watched(heights, _below(heights, batch)) as (database, observer):
        with heights.connect(database) as session:
            apply_batch(session, heights.settings, batch)
        before = _state(observer)
        with heights.connect(database) as session:
            ran = run_file(session, heights.settings, batch, batch.migration)
        notes = _expect_unchanged(batch, ran.path, before, _state(observer), _SECOND_RUN)
    return notes if ran.run.error is None else (f"refused: {ran.run.error.message}",)


def restores_schema(heights: Heights, batch: Batch) -> Notes:
    """Prove that the rollback restores the schema to the last attribute."""
    before, _, after = _there_and_back(heights, batch)
    return _expect_schema(
        batch, _path(heights, batch), before.schema, after.schema, "rollback to restore the schema"
    )


def restores_data(heights: Heights, batch: Batch) -> Notes:
    """Prove that the rollback restores every row that stood before."""
    before, applied, after = _there_and_back(heights, batch)
    notes = _expect_data(
        batch,
        _path(heights, batch),
        before.contents,
        after.contents,
        "rollback to restore the data",
    )
    return notes + tuple(
        f"not exercised: the batch changes {table}, which has no row in this data"
        for table in _changed_and_empty(before, applied)
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
    return _expect_schema(
        batch, _path(heights, batch), first, second, "the same schema when applied again"
    )


def harmless_where_absent(heights: Heights, batch: Batch) -> Notes:
    """Prove that the rollback changes nothing where the batch never ran."""
    assert batch.rollback is not None
    with _watched(heights, _below(heights, batch)) as (database, observer):
        before = _state(observer)
        with heights.connect(database) as session:
            ran = run_file(session, heights.settings, batch, batch.rollback)
        after = _state(observer)
    notes = _expect_unchanged(batch, ran.path, before, after, _WITHOUT)
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
            rows=printed[:_SHOWN],
            fix="Raise an error where a check fails; set ON_ERROR_STOP at the top.",
        )
    return tuple(line.strip() for line in _NOT_EXERCISED.findall(ran.run.text))


def leaves_no_trace(heights: Heights, batch: Batch) -> Notes:
    """Prove that the validation leaves schema and data as it found them."""
    with _watched(heights, batch) as (database, observer):
        before = _state(observer)
        with heights.connect(database) as session:
            ran = _validate(session, heights, batch)
        after = _state(observer)
    return _expect_unchanged(batch, ran.path, before, after, _VALIDATION)


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
        before = _state(observer)
        with heights.connect(database) as session:
            apply_batch(session, heights.settings, batch)
        applied = _state(observer)
        with heights.connect(database) as session:
            roll_back_batch(session, heights.settings, batch)
        return before, applied, _state(observer)


def _changed_and_empty(before: State, applied: State) -> list[str]:
    """List the tables without a row that stood before and that the batch changes."""
    touched = [difference.identity for difference in compare(before.schema, applied.schema)]
    return [
        table
        for table in before.contents.not_exercised()
        if any(each.startswith(f"{table}.") or each.endswith(f" on {table}") for each in touched)
    ]


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


def _state(observer: psycopg.Connection) -> State:
    return State(take_snapshot(observer), take_contents(observer))


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


def _expect_unchanged(batch: Batch, path: str, before: State, after: State, expected: str) -> Notes:
    schema = _expect_schema(batch, path, before.schema, after.schema, expected)
    return schema + _expect_data(batch, path, before.contents, after.contents, expected)


def _expect_schema(
    batch: Batch, path: str, before: Snapshot, after: Snapshot, expected: str
) -> Notes:
    differences = compare(before, after)
    hard = [str(difference) for difference in differences if not difference.soft]
    _expect_none(batch, path, hard, expected)
    return tuple(str(difference) for difference in differences if difference.soft)


def _expect_data(
    batch: Batch, path: str, before: Contents, after: Contents, expected: str
) -> Notes:
    """Expect every row as before; numbers that a sequence gave out are never given back: a note."""
    differences = compare_contents(before, after)
    hard = [str(difference) for difference in differences if not difference.advanced]
    _expect_none(batch, path, hard, expected)
    return tuple(str(difference) for difference in differences if difference.advanced)


def _expect_none(batch: Batch, path: str, offences: Sequence[str], expected: str) -> None:
    if not offences:
        return
    rows = list(offences[:_SHOWN])
    if len(offences) > _SHOWN:
        rows.append(f"… and {len(offences) - _SHOWN} more")
    raise BatchFailed(
        f"batch {batch.name}: expected {expected}, found "
        f"{len(offences)} difference{'s' if len(offences) > 1 else ''}",
        at=path,
        rows=rows,
        fix=_FIXES.get(expected, "Undo exactly what the migration does, and nothing else."),
    )
