"""What a gate's statement returns: its count and a masked sample, from one scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from batchgate.errors import GateFailed
from batchgate.findings import CELL_LIMIT, Row, cell_text, mask_row
from batchgate.gates.transaction import hold
from batchgate.limits import Limits, seconds_of
from batchgate.suite import Gate

SAMPLE = 5
FIGURES = 200
EXPLAIN = "explain "
DECLARE = "declare gate no scroll cursor for\n"
# As long as the other way of sending it, so that an error's position means the same in both.
_DECLARED = " " * len(EXPLAIN) + DECLARE
SENT_BEFORE = len(_DECLARED)
_CHUNK = 100
# Four bytes a character at most, of what is shown of a cell, and one that tells of more.
_CELL = 4 * (CELL_LIMIT + 1)
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
    columns, rows = reader.fetch(samples, gate.show) if samples else ((), [])
    count = len(rows) + reader.skip()
    return Found(count, tuple(mask_row(columns, row, gate.show) for row in rows))


def _figures(reader: "_Reader", gate: Gate, room: int) -> Found:
    """Read every figure, a hundred at a time; of too many to show, keep those with a finding."""
    shown = (*gate.show, "finding")
    columns, rows = reader.fetch(_CHUNK, shown)
    if "finding" not in columns:
        raise GateFailed(
            f"gate {gate.name}: expected a column `finding` among its figures, "
            f"found {', '.join(map(cell_text, columns))}",
            fix="Return a text column `finding`, null where a figure is as it should be.",
        )
    place = columns.index("finding")
    total, count = 0, 0
    first: list[tuple[str | None, ...]] = []
    found: list[tuple[str | None, ...]] = []
    while rows:
        offending = [row for row in rows if row[place] is not None]
        total, count = total + len(rows), count + len(offending)
        first += rows[: room - len(first)]
        found += offending[: room - len(found)]
        rows = reader.fetch(_CHUNK, shown)[1] if len(rows) == _CHUNK else []
    kept = first if total <= room else found
    return Found(count, tuple(mask_row(columns, row, shown) for row in kept))


class Overran(Exception):
    """A statement went on beyond its limit: something in it keeps the server from ending it."""


class _Reader:
    """Reads the open cursor, each step under the limits."""

    def __init__(self, cursor: psycopg.Cursor, limits: Limits | None) -> None:
        self._cursor = cursor
        self._limits = limits

    def fetch(
        self, limit: int, wanted: Sequence[str] | None = None
    ) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
        """Return the columns and the next rows, as the server writes them.

        Python has no value for some of what PostgreSQL holds, such as a date before Christ. Cells
        of columns that nobody wants stay the server's: they may be of any size.
        """
        self._run(sql.SQL("fetch forward {} from gate").format(sql.Literal(limit)))
        result = self._cursor.pgresult
        assert result is not None, "a fetch has a result"
        columns = tuple(_text(result.fname(i)) or "" for i in range(result.nfields))
        kinds = [
            (result.ftype(i) == _BOOLEAN, wanted is None or column in wanted)
            for i, column in enumerate(columns)
        ]
        rows = [
            tuple(_cell(result.get_value(row, i), *kind) for i, kind in enumerate(kinds))
            for row in range(result.ntuples)
        ]
        return columns, rows

    def skip(self) -> int:
        """Move past all other rows, and return how many there were."""
        self._run(sql.SQL("move forward all in gate"))
        return max(self._cursor.rowcount, 0)

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        if not self._limits:
            self._cursor.execute(statement)
            return
        hold(self._cursor.connection, self._limits)
        started = perf_counter()
        self._cursor.execute(statement)
        limit = seconds_of(self._limits.statement_timeout)
        # A function can catch that it is cancelled, and return what it has.
        if 0 < limit <= perf_counter() - started:
            raise Overran


def _cell(cell: bytes | None, boolean: bool, wanted: bool) -> str | None:
    if cell is None:
        return None
    if not wanted:
        return ""
    return (
        str(cell == b"t").lower() if boolean else cell[:_CELL].decode("utf-8", "backslashreplace")
    )


def _text(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode("utf-8", "backslashreplace")
