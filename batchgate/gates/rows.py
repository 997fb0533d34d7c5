"""What a gate's statement returns: its count and a masked sample, from one scan."""

from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from batchgate.errors import GateFailed
from batchgate.findings import Row, mask_row
from batchgate.gates.transaction import hold
from batchgate.limits import Limits
from batchgate.suite import Gate

SAMPLE = 5
FIGURES = 200
EXPLAIN = "explain "
DECLARE = "declare gate no scroll cursor for\n"
# As long as the other way of sending it, so that an error's position means the same in both.
_DECLARED = " " * len(EXPLAIN) + DECLARE
SENT_BEFORE = len(_DECLARED)
_CHUNK = 1000
_BOOLEAN = 16


@dataclass(frozen=True)
class Found:
    """What a gate's statement returned: offending rows counted, and rows to show."""

    count: int
    sample: tuple[Row, ...]


def find_rows(
    connection: psycopg.Connection,
    gate: Gate,
    *,
    samples: int = SAMPLE,
    limits: Limits | None = None,
) -> Found:
    """Run a gate's statement in the open transaction; count and sample come from one scan.

    A cursor refuses whatever is not a query, and the extended protocol refuses several
    statements in one text; `binary` is what makes psycopg use it.
    """
    cursor = connection.cursor()
    cursor.execute((_DECLARED + gate.sql).encode(), binary=True)
    try:
        if gate.rows == "figures":
            return _figures(_Reader(cursor, limits), gate, FIGURES if samples else 0)
        return _violations(_Reader(cursor, limits), gate, samples)
    finally:
        if (
            not connection.broken
            and connection.info.transaction_status == TransactionStatus.INTRANS
        ):
            cursor.execute("close gate")
        cursor.close()


def _violations(reader: "_Reader", gate: Gate, samples: int) -> Found:
    columns, rows = reader.fetch(samples) if samples else ((), [])
    count = len(rows) + reader.skip()
    return Found(count, tuple(mask_row(columns, row, gate.show) for row in rows))


def _figures(reader: "_Reader", gate: Gate, room: int) -> Found:
    """Read every figure, a thousand at a time; keep a few to show, those with a finding first."""
    columns, rows = reader.fetch(_CHUNK)
    if "finding" not in columns:
        raise GateFailed(
            f"gate {gate.name}: expected a column `finding` among its figures, "
            f"found {', '.join(columns)}",
            fix="Return a text column `finding`, null where a figure is as it should be.",
        )
    place = columns.index("finding")
    count, kept = 0, list[tuple[str | None, ...]]()
    while rows:
        offending = [row for row in rows if row[place] is not None]
        count += len(offending)
        left = room - len(kept)
        kept += rows[:left] if len(rows) <= left else offending[:left]
        rows = reader.fetch(_CHUNK)[1] if len(rows) == _CHUNK else []
    shown = (*gate.show, "finding")
    return Found(count, tuple(mask_row(columns, row, shown) for row in kept))


class _Reader:
    """Reads the open cursor, each step under the limits."""

    def __init__(self, cursor: psycopg.Cursor, limits: Limits | None) -> None:
        self._cursor = cursor
        self._limits = limits

    def fetch(self, limit: int) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
        """Return the columns and the next rows, as the server writes them.

        Python has no value for some of what PostgreSQL holds, such as a date before Christ.
        """
        self._hold()
        self._cursor.execute(
            sql.SQL("fetch forward {} from gate").format(sql.Literal(limit)), binary=False
        )
        result = self._cursor.pgresult
        assert result is not None, "a fetch has a result"
        columns = tuple(_text(result.fname(i)) or "" for i in range(result.nfields))
        booleans = [result.ftype(i) == _BOOLEAN for i in range(result.nfields)]
        rows = [
            tuple(
                _boolean(cell) if boolean else _text(cell)
                for cell, boolean in (
                    (result.get_value(row, i), booleans[i]) for i in range(result.nfields)
                )
            )
            for row in range(result.ntuples)
        ]
        return columns, rows

    def skip(self) -> int:
        """Move past all other rows, and return how many there were."""
        self._hold()
        self._cursor.execute("move forward all in gate")
        return max(self._cursor.rowcount, 0)

    def _hold(self) -> None:
        if self._limits:
            hold(self._cursor.connection, self._limits)


def _text(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode("utf-8", "backslashreplace")


def _boolean(cell: bytes | None) -> str | None:
    return None if cell is None else str(cell == b"t").lower()
