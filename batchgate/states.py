"""Two states of a database held side by side: what a batch's file must not have changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from batchgate.catalog import Snapshot, compare, take_snapshot
from batchgate.contents import Contents, compare_contents, take_contents
from batchgate.errors import BatchFailed
from batchgate.suite import Batch

SHOWN = 20
SECOND_RUN = "a second run to change nothing"
VALIDATION = "its validation to change nothing"
WITHOUT_BATCH = "a rollback without the batch to change nothing"
_FIXES = {
    SECOND_RUN: "Let the migration refuse where it stands already, or find nothing left to do.",
    VALIDATION: "Do what the validation tries out in a transaction that is rolled back.",
    WITHOUT_BATCH: "Let the rollback refuse where the batch does not stand.",
}

Notes = tuple[str, ...]


@dataclass(frozen=True)
class State:
    """Schema and data of a database at one moment."""

    schema: Snapshot
    contents: Contents


def take_state(observer: psycopg.Connection) -> State:
    """Read schema and data as they stand now."""
    return State(take_snapshot(observer), take_contents(observer))


def expect_unchanged(batch: Batch, path: str, before: State, after: State, expected: str) -> Notes:
    """Raise BatchFailed where schema or data differ; return what is of no consequence."""
    schema = expect_schema(batch, path, before.schema, after.schema, expected)
    return schema + expect_data(batch, path, before.contents, after.contents, expected)


def expect_schema(
    batch: Batch, path: str, before: Snapshot, after: Snapshot, expected: str
) -> Notes:
    """Raise BatchFailed where the schema differs; return what is of no consequence."""
    differences = compare(before, after)
    hard = [str(difference) for difference in differences if not difference.soft]
    _expect_none(batch, path, hard, expected)
    return tuple(str(difference) for difference in differences if difference.soft)


def expect_data(batch: Batch, path: str, before: Contents, after: Contents, expected: str) -> Notes:
    """Expect every row as before; numbers that a sequence gave out are never given back: a note."""
    differences = compare_contents(before, after)
    hard = [str(difference) for difference in differences if not difference.advanced]
    _expect_none(batch, path, hard, expected)
    return tuple(str(difference) for difference in differences if difference.advanced)


def changed_and_empty(before: State, applied: State) -> list[str]:
    """List the tables without a row that stood before and that the batch changes."""
    touched = [difference.identity for difference in compare(before.schema, applied.schema)]
    return [
        table
        for table in before.contents.not_exercised()
        if any(each.startswith(f"{table}.") or each.endswith(f" on {table}") for each in touched)
    ]


def _expect_none(batch: Batch, path: str, offences: Sequence[str], expected: str) -> None:
    if not offences:
        return
    rows = list(offences[:SHOWN])
    if len(offences) > SHOWN:
        rows.append(f"… and {len(offences) - SHOWN} more")
    raise BatchFailed(
        f"batch {batch.name}: expected {expected}, found "
        f"{len(offences)} difference{'s' if len(offences) > 1 else ''}",
        at=path,
        rows=rows,
        fix=_FIXES.get(expected, "Undo exactly what the migration does, and nothing else."),
    )
