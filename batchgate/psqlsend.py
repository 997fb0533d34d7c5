"""Send SQL by the simple protocol, as psql does; keep what comes back as the server wrote it."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from batchgate.sqltext import copies_out

Connection = psycopg.Connection[Any]
Row = list[str | None]


@dataclass(frozen=True)
class Table:
    """One result: its columns' names and its rows."""

    names: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Answer:
    """All that came back: results, the text of a COPY … TO STDOUT, the last row count."""

    tables: list[Table]
    copied: str
    row_count: int


def send(connection: Connection, sql: str, data: str | None = None) -> Answer:
    """Execute SQL, which may hold several statements; data is what a COPY reads."""
    with connection.cursor() as cursor:
        if data is not None:
            with cursor.copy(sql.encode()) as copy:
                copy.write(data)
            return Answer([], "", max(cursor.rowcount, 0))
        if copies_out(sql):
            with cursor.copy(sql.encode()) as copy:
                # psql's ROW_COUNT is 0 after a COPY to the output.
                return Answer([], b"".join(bytes(block) for block in copy).decode(), 0)
        cursor.execute(sql.encode(), prepare=False)
        tables = _tables(cursor)
        while cursor.nextset():
            tables += _tables(cursor)
        return Answer(tables, "", max(cursor.rowcount, 0))


def _tables(cursor: psycopg.Cursor[Any]) -> list[Table]:
    """Return the result at hand; a command that returns no rows has none."""
    result = cursor.pgresult
    if result is None or result.status != ExecStatus.TUPLES_OK:
        return []
    columns = range(result.nfields)
    names = [(result.fname(column) or b"").decode() for column in columns]
    cells = ([result.get_value(row, column) for column in columns] for row in range(result.ntuples))
    return [Table(names, [[_text(cell) for cell in row] for row in cells])]


def _text(cell: bytes | bytearray | memoryview | None) -> str | None:
    return None if cell is None else bytes(cell).decode()
