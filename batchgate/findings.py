"""The one result type: whatever checks returns the offending rows; none is a pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchgate.signs import written_out

MASK = "••••"
CELL_LIMIT = 120


class Level(StrEnum):
    """Whether a finding stops the work or is there to be read."""

    REQUIRED = "required"
    INFORMATIONAL = "informational"


class State(StrEnum):
    """How a check ended; only `PASSED` is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    NOT_EXERCISED = "not exercised"
    NOT_APPLICABLE = "not applicable yet"
    NO_RESULT = "no result"
    ERROR = "error"


class Cause(StrEnum):
    """What kept a gate from a result; nothing of the kind says anything about the data."""

    NONE = ""
    UNREACHABLE = "no connection"
    REFUSED = "role refused"
    TOO_FAR_BEHIND = "too far behind"
    NO_SNAPSHOT = "no snapshot"
    TOO_COSTLY = "too costly"
    NOT_PERMITTED = "not permitted"
    LOCK_WAIT = "waited for a lock"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    CONFLICT = "recovery conflict"
    CHANGED = "changed under the gate"
    GAVE_WAY = "gave way to replay"
    PROMOTED = "promoted"
    LOST = "connection lost"
    CUT = "connection cut"
    NO_ROOM = "no room for its work"


@dataclass(frozen=True)
class Row:
    """An offending row, already masked: column names and the text of their cells."""

    columns: tuple[str, ...]
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return " | ".join(
            f"{column}={cell}" for column, cell in zip(self.columns, self.cells, strict=True)
        )


@dataclass(frozen=True)
class Findings:
    """The offending rows of one check: how many there are, and a sample."""

    count: int
    sample: tuple[Row, ...] = ()


def mask_row(columns: Sequence[str], values: Sequence[object], show: Sequence[str]) -> Row:
    """Turn a fetched row into text, hiding every cell whose column is not in `show`.

    A statement may name its columns as it likes: they are shown as cells are, and are told apart
    by their true names.
    """
    return Row(
        tuple(cell_text(column) for column in columns),
        tuple(
            cell_text(value) if column in show else MASK
            for column, value in zip(columns, values, strict=True)
        ),
    )


def cell_text(value: object) -> str:
    """Render one cell on one line, at most `CELL_LIMIT` characters, NULL marked."""
    if value is None:
        return "NULL"
    text = "".join(char if char.isprintable() else written_out(char) for char in str(value))
    return text if len(text) <= CELL_LIMIT else text[: CELL_LIMIT - 1] + "…"
