"""What must stand after a rollback: what stood before, and what was written in between."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple, TypeAlias

from batchgate.rehearsal.data.losses import CHANGED, DESTROYED, LEFT_BEHIND, Loss, compare_loose
from batchgate.rehearsal.data.sights import PARTITION, Rows

Row: TypeAlias = Mapping[str, int | None]

# Stands for the value of a column that is not there; no hash of a value.
_NONE = 1 << 64


class _Conversion(NamedTuple):
    """The old values of a column by the new ones, and whether the batch gave each another.

    Of what is computed from every value, the old value of one that is new cannot be told.
    """

    values: Mapping[int | None, int]
    whole: bool


_NO_CONVERSION = _Conversion({}, False)


class Readings(NamedTuple):
    """One table: before the batch, once it stands, once there was written, and at the end."""

    before: Rows
    applied: Rows
    written: Rows
    end: Rows


class Fates(NamedTuple):
    """One row at those four moments; None where it is not there."""

    before: Row | None
    applied: Row | None
    written: Row | None
    end: Row | None


@dataclass(frozen=True)
class Terms:
    """How strictly a table is compared.

    Of `retyped` columns there must be a value, which may be written in another way; of
    `computed` ones nothing is asked. Where the batch has `triggers` of its own, what we did not
    write ourselves may be their doing; `ours` tells that of a row, and of one of its columns.
    """

    retyped: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    triggers: bool = False
    ours: Callable[[str, str], bool] = lambda key, column: True


def compare_survival(table: str, readings: Readings, terms: Terms) -> tuple[list[Loss], list[str]]:
    """List what is not as it must be, and the keys of rows that the batch made and that stay.

    Rows that the batch made go with it, whatever was written into them; others must stand as
    before, and with the values that were written since.
    """
    if readings.before.loose is not None:
        return _compare_loose(table, readings), []
    if readings.end.cells is None:
        return [Loss(CHANGED, table)], []
    comparison = _Comparison(table, readings, terms)
    fates = {key: comparison.fates(key) for key in sorted(comparison.keys())}
    made = [key for key, fate in fates.items() if _of_batch(fate) and _stays_as_made(fate)]
    found = (comparison.loss(key, fate) for key, fate in fates.items() if not _of_batch(fate))
    return [loss for loss in found if loss], made


class _Comparison:
    """Compares the rows of one table that has a key."""

    def __init__(self, table: str, readings: Readings, terms: Terms) -> None:
        self.table = table
        self.readings = readings
        self.terms = terms
        self.conversion = cache(partial(_conversion, readings.before, readings.applied))

    def keys(self) -> set[str]:
        """Return the keys of the rows that are to be looked at, which of many are a few.

        Into the others nothing was written, and they stand as they stood.
        """
        before, applied, written, end = (rows.cells or {} for rows in self.readings)
        return {
            key
            for key in before.keys() | applied.keys() | written.keys() | end.keys()
            if applied.get(key) != written.get(key) or before.get(key) != end.get(key)
        }

    def fates(self, key: str) -> Fates:
        return Fates(*(_row(rows, key) for rows in self.readings))

    def loss(self, key: str, fate: Fates) -> Loss | None:
        """Say what became of a row, or None where it is as it must be."""
        before, applied, written, end = fate
        if written is None and applied is not None:
            # Deleted since: it must not come back.
            came_back = end is not None and self.terms.ours(key, "")
            return Loss(LEFT_BEHIND, self.table, key, written=True) if came_back else None
        if before is None and written is None:
            return Loss(LEFT_BEHIND, self.table, key)
        if end is None:
            if before is None and not self._is_ours(key, ""):
                return None
            return Loss(DESTROYED, self.table, key, written=before is None or written != applied)
        return self._changed(key, fate, end)

    def _changed(self, key: str, fate: Fates, end: Row) -> Loss | None:
        before, applied, written = fate.before or {}, fate.applied or {}, fate.written or {}
        lost, since = [], False
        for name in sorted(before.keys() | written.keys()):
            is_written = name in written and applied.get(name, _NONE) != written[name]
            if is_written and not self._is_kept(name, key, fate, end):
                lost.append(name)
                since = True
            elif not is_written and name in before and end.get(name, _NONE) != before[name]:
                lost.append(name)
        return Loss(CHANGED, self.table, key, tuple(lost), written=since) if lost else None

    def _is_kept(self, name: str, key: str, fate: Fates, end: Row) -> bool:
        """Tell whether a value that was written stands, as far as that can be asked."""
        value, found = (fate.written or {})[name], end.get(name, _NONE)
        if found == value or name in self.terms.computed:
            return True
        if name in self.terms.retyped:
            return found is not None
        before = (fate.before or {}).get(name, _NONE)
        back = self.conversion(name)
        if value in back.values:
            # It means what the old value meant, and is written so again.
            return found == back.values[value]
        if back.whole and found is not None and found != before:
            return True
        return not self._is_ours(key, name) and (fate.before is None or found == before)

    def _is_ours(self, key: str, column: str) -> bool:
        return not self.terms.triggers or self.terms.ours(key, column)


def _of_batch(fate: Fates) -> bool:
    return fate.before is None and fate.applied is not None


def _stays_as_made(fate: Fates) -> bool:
    """Tell what should have gone: into which something was written since may stay."""
    return fate.end is not None and fate.written == fate.applied


def _row(rows: Rows, key: str) -> Row | None:
    row = rows.row(key)
    return None if row is None else {name: row[name] for name in row if name != PARTITION}


def _conversion(before: Rows, applied: Rows, name: str) -> _Conversion:
    """Return how the batch writes values anew, if no two alike and none that was null."""
    if name not in before.columns or name not in applied.columns:
        return _NO_CONVERSION
    first, then = before.columns.index(name), applied.columns.index(name)
    values: dict[int | None, int] = {}
    meant: dict[int, int] = {}
    rows = applied.cells or {}
    for key, cells in (before.cells or {}).items():
        if key not in rows:
            continue
        was, stands = cells[first], rows[key][then]
        if was is None and stands is None:
            continue
        if was is None or stands is None:
            return _NO_CONVERSION
        if values.setdefault(stands, was) != was or meant.setdefault(was, stands) != stands:
            return _NO_CONVERSION
    whole = len(values) > 1 and all(was != stands for was, stands in meant.items())
    return _Conversion(values, whole)


def _compare_loose(table: str, readings: Readings) -> list[Loss]:
    """Compare rows by their number: those from before, and those that have come since."""
    before, applied, written, end = (Counter(rows.loose or {}) for rows in readings)
    since = Counter(written)
    since.subtract(applied)
    if before and not before & applied:
        # Every row is written in another way while the batch stands.
        missing = before.total() + since.total() - end.total()
        return [Loss(DESTROYED, table, count=missing, written=True)] if missing > 0 else []
    expected = Counter(before)
    expected.update(since)
    return compare_loose(table, +expected, end, written=any(since.values()))
