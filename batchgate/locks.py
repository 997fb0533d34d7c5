"""The table locks: which there are, what each makes wait, and who holds which."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from batchgate.reading import read_query

_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "f": "foreign table",
    "m": "materialized view",
    "v": "view",
    "i": "index",
    "I": "partitioned index",
    "S": "sequence",
    "c": "type",
}


class Mode(StrEnum):
    """The modes of a table lock as pg_locks spells them, weakest first.

    What conflicts with what is the table of "Explicit Locking" in PostgreSQL's documentation.
    """

    ACCESS_SHARE = "AccessShareLock"
    ROW_SHARE = "RowShareLock"
    ROW_EXCLUSIVE = "RowExclusiveLock"
    SHARE_UPDATE_EXCLUSIVE = "ShareUpdateExclusiveLock"
    SHARE = "ShareLock"
    SHARE_ROW_EXCLUSIVE = "ShareRowExclusiveLock"
    EXCLUSIVE = "ExclusiveLock"
    ACCESS_EXCLUSIVE = "AccessExclusiveLock"

    @property
    def strength(self) -> int:
        """Return the place among the modes, the weakest first."""
        return _STRENGTHS[self]

    @property
    def stops(self) -> str:
        """Return in plain words what of the others waits while this is held."""
        if self.blocks_reads:
            return "reads, writes and DDL"
        if self is Mode.EXCLUSIVE:
            return "writes, row locks and DDL"
        if self.blocks_writes:
            return "writes and DDL"
        return "DDL and vacuum" if self is Mode.SHARE_UPDATE_EXCLUSIVE else "DDL"

    @property
    def statement(self) -> str:
        """Return the mode in the words of LOCK TABLE."""
        return self.name.replace("_", " ").lower()

    @property
    def blocks_writes(self) -> bool:
        """Tell whether insert, update and delete wait."""
        return self.conflicts(Mode.ROW_EXCLUSIVE)

    @property
    def blocks_reads(self) -> bool:
        """Tell whether a plain select waits."""
        return self.conflicts(Mode.ACCESS_SHARE)

    def conflicts(self, other: "Mode") -> bool:
        """Tell whether two sessions cannot hold both on one table at a time."""
        weaker, stronger = sorted((self, other), key=lambda mode: mode.strength)
        return stronger.strength >= _FROM[weaker].strength

    def weakest_conflicting(self) -> "Mode":
        """Return the weakest mode that waits for this one, or that this one waits for."""
        return next(mode for mode in Mode if self.conflicts(mode))


_STRENGTHS = {mode: strength for strength, mode in enumerate(Mode)}
# The weakest mode, of its own strength or more, that each conflicts with; so do all above that.
_FROM = {
    Mode.ACCESS_SHARE: Mode.ACCESS_EXCLUSIVE,
    Mode.ROW_SHARE: Mode.EXCLUSIVE,
    Mode.ROW_EXCLUSIVE: Mode.SHARE,
    Mode.SHARE_UPDATE_EXCLUSIVE: Mode.SHARE_UPDATE_EXCLUSIVE,
    Mode.SHARE: Mode.SHARE_ROW_EXCLUSIVE,
    Mode.SHARE_ROW_EXCLUSIVE: Mode.SHARE_ROW_EXCLUSIVE,
    Mode.EXCLUSIVE: Mode.EXCLUSIVE,
    Mode.ACCESS_EXCLUSIVE: Mode.ACCESS_EXCLUSIVE,
}


class Held(NamedTuple):
    """A lock that a backend holds on a relation, or (not `granted`) waits for."""

    relation: str
    kind: str
    mode: Mode
    granted: bool


def held_by(
    observer: psycopg.Connection[Any], pid: int, among: Collection[int] | None = None
) -> frozenset[Held]:
    """Return a backend's locks on the relations that the observer can see: committed ones.

    Of users' schemas only, indexes and sequences too; `among` are the only oids of interest.
    """
    asked = {"pid": pid, "among": None if among is None else list(among)}
    with observer.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(read_query("held_locks.sql"), asked, prepare=True).fetchall()
        return frozenset(
            Held(name, _KINDS.get(kind, "relation"), Mode(mode), granted)
            for name, kind, mode, granted in rows
        )
