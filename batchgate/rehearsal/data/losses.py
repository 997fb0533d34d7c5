"""What became of rows: destroyed, changed or left behind, by key and column, and by which line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from batchgate.excerpts import excerpt
from batchgate.particulars import Change
from batchgate.rehearsal.data.film import MIGRATION, ROLLBACK, Frame
from batchgate.rehearsal.data.sights import Rows, shown_key
from batchgate.states import Offence

CHANGED, DESTROYED, LEFT_BEHIND = "changed", "destroyed", "left behind"
_ATTEMPTS = {CHANGED: "gives it another value", DESTROYED: "does not bring it back"}


@dataclass(frozen=True)
class Loss:
    """One row that is not as it was, or rows that only their number tells; `written` in between."""

    kind: str
    table: str
    key: str = ""
    columns: tuple[str, ...] = ()
    count: int = 0
    written: bool = False

    def __str__(self) -> str:
        columns = f": {', '.join(self.columns)}" if self.columns else ""
        return f"{self.kind}: {self._what}{columns}"

    def change(self, at: str = "") -> Change:
        """Return this as plain values: of a cell no more than its column."""
        return Change(
            kind=self.kind,
            sort="row" if self.key else "rows of a table",
            name=excerpt(self._what),
            attribute=excerpt(", ".join(self.columns)),
            at=at,
        )

    @property
    def _what(self) -> str:
        what = self.table
        if self.key:
            what += f" {shown_key(self.key)}"
        elif self.count:
            rows = "1 row" if self.count == 1 else f"{self.count} rows"
            what = f"{rows} of {self.table} (no key)"
        return what + (" (written since)" if self.written else "")


def compare_rows(table: str, was: Rows, stands: Rows) -> list[Loss]:
    """List the rows of a table that differ, and of those that stand still the columns."""
    if was.loose is not None and stands.loose is not None:
        return compare_loose(table, Counter(was.loose), Counter(stands.loose))
    if was.cells is None or stands.cells is None:
        return [Loss(CHANGED, table)]
    losses = [Loss(DESTROYED, table, key) for key in sorted(was.cells.keys() - stands.cells.keys())]
    differing = (
        key
        for key, cells in was.cells.items()
        if key in stands.cells and stands.cells[key] != cells
    )
    for key in sorted(differing):
        before, after = was.row(key) or {}, stands.row(key) or {}
        columns = tuple(sorted(name for name, cell in before.items() if after.get(name) != cell))
        if columns:
            losses.append(Loss(CHANGED, table, key, columns))
    left = sorted(stands.cells.keys() - was.cells.keys())
    return losses + [Loss(LEFT_BEHIND, table, key) for key in left]


def compare_loose(
    table: str, expected: Counter[int], found: Counter[int], *, written: bool = False
) -> list[Loss]:
    """List by number alone how many rows went, and how many came."""
    gone, come = (expected - found).total(), (found - expected).total()
    changed = min(gone, come)
    counts = {CHANGED: changed, DESTROYED: gone - changed, LEFT_BEHIND: come - changed}
    return [
        Loss(kind, table, count=count, written=written) for kind, count in counts.items() if count
    ]


def blamed(losses: Sequence[Loss], frames: Sequence[Frame]) -> list[Offence]:
    """Say of each loss which statement it comes from."""
    return [_offence(loss, frames) for loss in losses]


def _offence(loss: Loss, frames: Sequence[Frame]) -> Offence:
    origin = 0
    if loss.written:
        origin = max(place for place, frame in enumerate(frames) if not frame.file)
    left = _departure(loss, frames, origin) or _departure(loss, frames, 0)
    left = left or _last_change(loss, frames)
    if left is None:
        return Offence.of(loss)
    turned = _last_turn(loss, frames, left)
    where = f" by {frames[left].at}"
    if frames[left].file == MIGRATION:
        where += "; " + (
            "the rollback does not undo it"
            if turned is None
            else f"{frames[turned].at} {_ATTEMPTS.get(loss.kind, 'does not undo it')}"
        )
    at = frames[left if turned is None else turned].at
    return Offence(f"{loss}{where}", loss.change(at))


def _departure(loss: Loss, frames: Sequence[Frame], origin: int) -> int | None:
    """Return the statement after which what is lost was never again as it was.

    A table or column that is renamed is followed; one that is made anew under its name is, too.
    """
    ends = []
    for numbered in (False, True):
        target = _seen(loss, frames[origin], numbered=numbered)
        alike = [
            place
            for place in range(origin, len(frames))
            if _seen(loss, frames[place], numbered=numbered) == target
        ]
        if alike and alike[-1] + 1 < len(frames) and frames[alike[-1] + 1].file:
            ends.append(alike[-1] + 1)
    return max(ends, default=None)


def _last_change(loss: Loss, frames: Sequence[Frame]) -> int | None:
    """Return the last statement that changed the table, for a row whose key is never the same."""
    changes = [
        place
        for place in range(1, len(frames))
        if frames[place].file
        and frames[place].named.get(loss.table) != frames[place - 1].named.get(loss.table)
    ]
    return max(changes, default=None)


def _last_turn(loss: Loss, frames: Sequence[Frame], left: int) -> int | None:
    """Return the rollback's statement that gave what the migration took another value."""
    if frames[left].file != MIGRATION:
        return None
    turns = [
        place
        for place in range(left + 1, len(frames))
        if frames[place].file == ROLLBACK
        and _seen(loss, frames[place]) != _seen(loss, frames[place - 1])
    ]
    return max(turns, default=None)


def _seen(loss: Loss, frame: Frame, *, numbered: bool = False) -> object:
    """Return what a frame shows of what is lost."""
    rows = (frame.numbered if numbered else frame.named).get(loss.table)
    if rows is None:
        return None
    if not loss.key:
        return rows.loose if loss.count else rows
    row = rows.row(loss.key)
    if row is None or not loss.columns:
        return row is not None
    return tuple(row.get(name, "absent") for name in loss.columns)
