"""Two states of a database held side by side: what a batch's file must not have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import psycopg

from batchgate.catalog import Difference, Snapshot, collapse, compare, take_snapshot
from batchgate.contents import Contents, ContentsDifference, compare_contents, take_contents
from batchgate.errors import BatchFailed
from batchgate.suite import Batch

SHOWN = 20
SECOND_RUN = "a second run to change nothing"
SECOND_ROLLBACK = "a second rollback to change nothing"
VALIDATION = "its validation to change nothing"
WITHOUT_BATCH = "a rollback without the batch to change nothing"
REFUSED = "a rollback that is refused to change nothing"
GAVE_UP = "a run that gave up its wait to change nothing"
LEFT_OUT = "a run without an error to have done its work"
_REFUSE = "Let the rollback refuse where the batch does not stand."
_FIXES = {
    SECOND_RUN: "Let the migration refuse where it stands already, or find nothing left to do.",
    SECOND_ROLLBACK: _REFUSE,
    VALIDATION: "Do what the validation tries out in a transaction that is rolled back.",
    WITHOUT_BATCH: _REFUSE,
    GAVE_UP: "Begin a transaction at the top of the file and commit at its end; or say"
    " `-- transaction: none` in its header, and let a further run finish what one began.",
    LEFT_OUT: "Let the file end where it does not get a lock: catch that error to ask again only.",
    REFUSED: "Refuse before anything is changed, or begin and commit the file's own transaction.",
}

Notes = tuple[str, ...]


@dataclass(frozen=True)
class State:
    """Schema and data of a database at one moment."""

    schema: Snapshot
    contents: Contents


class Offence(NamedTuple):
    """One difference in words, and the line that it comes from, where that is known."""

    row: str
    at: str = ""


class Blame(Protocol):
    """Finds for differences the lines that they come from; asked only once something failed."""

    def of_schema(self, differences: Sequence[Difference]) -> list[Offence]:
        """Return one offence for each difference, in their order."""

    def of_contents(self, differences: Sequence[ContentsDifference]) -> list[Offence]:
        """Return one offence for each difference, in their order."""


def take_state(observer: psycopg.Connection) -> State:
    """Read schema and data as they stand now."""
    return State(take_snapshot(observer), take_contents(observer))


def expect_unchanged(
    batch: Batch,
    path: str,
    before: State,
    after: State,
    expected: str,
    blame: Blame | None = None,
) -> Notes:
    """Raise BatchFailed where schema or data differ; return what is of no consequence."""
    schema = expect_schema(batch, path, before.schema, after.schema, expected, blame)
    return schema + expect_data(batch, path, before.contents, after.contents, expected, blame)


def expect_schema(
    batch: Batch,
    path: str,
    before: Snapshot,
    after: Snapshot,
    expected: str,
    blame: Blame | None = None,
) -> Notes:
    """Raise BatchFailed where the schema differs; return what is of no consequence.

    What fell with a whole is told with it; only differences that are shown are looked into.
    """
    differences = compare(before, after)
    hard = collapse(difference for difference in differences if not difference.soft)
    shown = hard[:SHOWN]
    offences = blame.of_schema(shown) if blame and hard else [Offence(str(one)) for one in shown]
    _expect_none(batch, path, offences, len(hard), expected)
    return tuple(str(difference) for difference in differences if difference.soft)


def expect_data(
    batch: Batch,
    path: str,
    before: Contents,
    after: Contents,
    expected: str,
    blame: Blame | None = None,
) -> Notes:
    """Expect every row as before; numbers that a sequence gave out are never given back: a note."""
    differences = compare_contents(before, after)
    hard = [difference for difference in differences if not difference.advanced]
    shown = hard[:SHOWN]
    offences = blame.of_contents(shown) if blame and hard else [Offence(str(one)) for one in shown]
    _expect_none(batch, path, offences, len(hard), expected)
    return tuple(str(difference) for difference in differences if difference.advanced)


def offence_rows(offences: Sequence[Offence], found: int) -> list[str]:
    """Return the offences that are shown as a message's rows, and how many more there are."""
    rows = [offence.row for offence in offences[:SHOWN]]
    return rows + ([f"… and {found - len(rows)} more"] if found > len(rows) else [])


def _expect_none(
    batch: Batch, path: str, offences: Sequence[Offence], found: int, expected: str
) -> None:
    if not offences:
        return
    raise BatchFailed(
        f"batch {batch.name}: expected {expected}, found "
        f"{found} difference{'s' if found > 1 else ''}",
        at=next((offence.at for offence in offences if offence.at), path),
        rows=offence_rows(offences, found),
        fix=_FIXES.get(expected, "Undo exactly what the migration does, and nothing else."),
    )
