"""Two states of a database held side by side: what a batch's file must not have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

import psycopg

from batchgate.catalog import Difference, Snapshot, collapse, compare, take_snapshot
from batchgate.contents import Contents, ContentsDifference, compare_contents, take_contents
from batchgate.errors import BatchFailed
from batchgate.particulars import Change, Particulars
from batchgate.suite import Batch

# What a message names, with the line of each, and what is listed beside it as values.
SHOWN = 20
LISTED = 200
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


class Differing(Protocol):
    """Whatever can be told as values."""

    def change(self, at: str = "") -> Change:
        """Return it as values, with the line that it comes from."""


# What differs and is of no consequence.
Harmless: TypeAlias = tuple[Differing, ...]


@dataclass(frozen=True)
class State:
    """Schema and data of a database at one moment."""

    schema: Snapshot
    contents: Contents


class Offence(NamedTuple):
    """One difference in words, and as values that know the line it comes from."""

    row: str
    change: Change

    @classmethod
    def of(cls, difference: Differing) -> "Offence":
        """Return a difference of which no line is known."""
        return cls(str(difference), difference.change())

    @property
    def at(self) -> str:
        """Return the line that it comes from, or nothing where that is not known."""
        return self.change.at


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
) -> Harmless:
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
) -> Harmless:
    """Raise BatchFailed where the schema differs; return what is of no consequence.

    What fell with a whole is told with it; only differences that are shown are looked into.
    """
    differences = compare(before, after)
    hard = collapse(difference for difference in differences if not difference.soft)
    soft = tuple(difference for difference in differences if difference.soft)
    if hard:
        shown = hard[:SHOWN]
        offences = blame.of_schema(shown) if blame else [Offence.of(one) for one in shown]
        raise _differs(batch, path, offences, (hard, soft), expected)
    return soft


def expect_data(
    batch: Batch,
    path: str,
    before: Contents,
    after: Contents,
    expected: str,
    blame: Blame | None = None,
) -> Harmless:
    """Expect every row as before; numbers that a sequence gave out are never given back."""
    differences = compare_contents(before, after)
    hard = [difference for difference in differences if not difference.advanced]
    advanced = tuple(difference for difference in differences if difference.advanced)
    if hard:
        shown = hard[:SHOWN]
        offences = blame.of_contents(shown) if blame else [Offence.of(one) for one in shown]
        raise _differs(batch, path, offences, (hard, advanced), expected)
    return advanced


def notes_of(harmless: Harmless) -> Notes:
    """Say what is of no consequence."""
    return tuple(str(difference) for difference in harmless)


def offence_rows(offences: Sequence[Offence], found: int) -> list[str]:
    """Return the offences that are shown as a message's rows, and how many more there are."""
    rows = [offence.row for offence in offences[:SHOWN]]
    return rows + ([f"… and {found - len(rows)} more"] if found > len(rows) else [])


def listed(
    offences: Sequence[Offence] = (),
    rest: Sequence[Differing] = (),
    harmless: Sequence[Differing] = (),
) -> Particulars:
    """List differences as values: those that are told with their line, the rest, the harmless."""
    more = [*rest, *harmless]
    changes = [offence.change for offence in offences[:LISTED]]
    changes += [each.change() for each in more[: LISTED - len(changes)]]
    left = len(offences) + len(more) - len(changes)
    return Particulars(
        differences=tuple(changes), left_out=(("differences", left),) if left else ()
    )


def _differs(
    batch: Batch,
    path: str,
    offences: Sequence[Offence],
    differences: tuple[Sequence[Differing], Harmless],
    expected: str,
) -> BatchFailed:
    hard, harmless = differences
    found = len(hard)
    return BatchFailed(
        f"batch {batch.name}: expected {expected}, found "
        f"{found} difference{'s' if found > 1 else ''}",
        at=next((offence.at for offence in offences if offence.at), path),
        rows=offence_rows(offences, found),
        fix=_FIXES.get(expected, "Undo exactly what the migration does, and nothing else."),
        particulars=listed(offences, hard[len(offences) :], harmless),
    )
