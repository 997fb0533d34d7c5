"""Run one gate: a read-only statement, its count and a masked sample from one scan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import psycopg
from psycopg import sql

from batchgate.errors import BatchFailed, GateFailed
from batchgate.findings import Level, Row, State, mask_row
from batchgate.serverwords import server_words
from batchgate.suite import Batch, Gate
from batchgate.verdict import GateResult, counted

SAMPLE = 5
FIGURES = 200
_CHUNK = 1000
_DECLARE = "declare gate no scroll cursor for\n"
SENT_BEFORE = len(_DECLARE)

# The limits keep a gate from holding a server up; parallel workers and JIT are off so that a
# check cannot take the cores of whoever else works there. `select 1` freezes READ ONLY.
_BEGIN = b"""
begin isolation level repeatable read read only;
select 1;
set local statement_timeout = '30s';
set local lock_timeout = '2s';
set local idle_in_transaction_session_timeout = '60s';
set local row_security = off;
set local max_parallel_workers_per_gather = 0;
set local jit = off;
set local work_mem = '64MB';
set local cursor_tuple_fraction = 1.0;
set local search_path = public;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD'
"""


@dataclass(frozen=True)
class Found:
    """What a gate's statement returned: offending rows counted, and rows to show."""

    count: int
    sample: tuple[Row, ...]


def run_gate(
    connection: psycopg.Connection, gate: Gate, path: str, after: Sequence[Batch]
) -> GateResult:
    """Run a gate in a read-only transaction of its own and say how it ended."""
    started = perf_counter()

    def result(
        state: State, count: int | None = None, sample: tuple[Row, ...] = (), reason: str = ""
    ) -> GateResult:
        return GateResult(
            name=gate.name,
            number=gate.number,
            title=gate.title,
            path=f"{path}:{gate.line}",
            sentence=gate.header.sentence,
            level=gate.level,
            state=state,
            seconds=perf_counter() - started,
            count=count,
            sample=sample,
            fix=gate.fix if count is not None else _remedy(state, reason),
            reason=reason,
            figures=gate.rows == "figures",
        )

    try:
        connection.execute(_BEGIN)
        return _ended(connection, gate, after, result)
    except psycopg.Error as error:
        reason = server_words(error, gate.sql, path, gate.line, skip=SENT_BEFORE)
        return result(State.ERROR, reason=reason)
    finally:
        if not connection.broken:
            connection.rollback()


def _ended(
    connection: psycopg.Connection,
    gate: Gate,
    after: Sequence[Batch],
    result: Callable[..., GateResult],
) -> GateResult:
    missing = [batch.name for batch in after if not is_present(connection, batch)]
    if missing:
        return result(State.NOT_APPLICABLE, reason=f"needs {', '.join(missing)}")
    found = find_rows(connection, gate)
    if found.count:
        required = gate.level is Level.REQUIRED
        return result(State.FAILED if required else State.WARNED, found.count, found.sample)
    empty = [table for table in gate.of if _is_empty(connection, table)]
    if empty:
        return result(State.NOT_EXERCISED, reason=f"{', '.join(empty)} is empty")
    return result(State.PASSED, 0, found.sample)


def find_rows(connection: psycopg.Connection, gate: Gate) -> Found:
    """Run a gate's statement in the open transaction; count and sample come from one scan.

    A cursor refuses whatever is not a query, and the extended protocol refuses several
    statements in one text; `binary` is what makes psycopg use it.
    """
    cursor = connection.cursor()
    cursor.execute((_DECLARE + gate.sql).encode(), binary=True)
    try:
        if gate.rows == "figures":
            return _figures(cursor, gate)
        columns, rows = _fetch(cursor, SAMPLE)
        cursor.execute("move forward all in gate")
        count = len(rows) + max(cursor.rowcount, 0)
        return Found(count, tuple(mask_row(columns, row, gate.show) for row in rows))
    finally:
        if not connection.broken and connection.info.transaction_status.name == "INTRANS":
            cursor.execute("close gate")
        cursor.close()


def _figures(cursor: psycopg.Cursor, gate: Gate) -> Found:
    """Read every figure, a thousand at a time; keep a few to show, those with a finding first."""
    columns, rows = _fetch(cursor, _CHUNK)
    if "finding" not in columns:
        raise GateFailed(
            f"gate {gate.name}: expected a column `finding` among its figures, "
            f"found {', '.join(columns)}",
            fix="Return a text column `finding`, null where a figure is as it should be.",
        )
    place = columns.index("finding")
    count, kept = 0, list[tuple[object, ...]]()
    while rows:
        offending = [row for row in rows if row[place] is not None]
        count += len(offending)
        room = FIGURES - len(kept)
        kept += rows[:room] if len(rows) <= room else offending[:room]
        rows = _fetch(cursor, _CHUNK)[1] if len(rows) == _CHUNK else []
    shown = (*gate.show, "finding")
    return Found(count, tuple(mask_row(columns, row, shown) for row in kept))


def _fetch(cursor: psycopg.Cursor, limit: int) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    cursor.execute(sql.SQL("fetch forward {} from gate").format(sql.Literal(limit)))
    columns = tuple(column.name for column in cursor.description or ())
    return columns, cursor.fetchall()


def is_present(connection: psycopg.Connection, batch: Batch) -> bool:
    """Ask the database whether a batch stands, by the batch's own expression.

    Raises BatchFailed where the answer is neither true nor false.
    """
    try:
        row = connection.execute(f"select (\n{batch.present}\n)::boolean".encode()).fetchone()
    except psycopg.Error as error:
        found = server_words(error, "", "", 0)
    else:
        if row and row[0] is not None:
            return bool(row[0])
        found = "null"
    raise BatchFailed(
        f"batch {batch.name}: expected `present` to be true or false, found {found}",
        at=f"{batch.folder.parent.name}/{batch.name}/migration.sql:{batch.header.line('present')}",
        fix="Ask what can be asked with and without the batch, such as"
        " `to_regclass('orders') is not null`.",
    )


def _is_empty(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute(
        "select n.nspname, c.relname from pg_catalog.pg_class as c"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where c.oid = %s::pg_catalog.regclass",
        [table],
    ).fetchone()
    assert row is not None, "the cast to regclass fails where there is no such table"
    query = sql.SQL("select exists (select from {})").format(sql.Identifier(*row))
    exists = connection.execute(query).fetchone()
    return not (exists and exists[0])


def refusal(result: GateResult) -> GateFailed:
    """Return the message of a gate that did not pass."""
    rows = [str(row) for row in result.sample if _offends(row, result)]
    more = (result.count or 0) - len(rows[:SAMPLE])
    if more > 0 and rows:
        rows = [*rows[:SAMPLE], f"… and {more} more"]
    return GateFailed(
        f"gate {result.name}: expected 0 {_noun(result)}s, found {_what(result)}",
        at=result.path,
        rows=rows,
        cause=result.reason if result.state is State.ERROR else "",
        fix=result.fix,
    )


def _noun(result: GateResult) -> str:
    return "finding" if result.figures else "row"


def _what(result: GateResult) -> str:
    if result.count is not None:
        return str(result.count)
    if result.state is State.ERROR:
        return "no result (error)"
    return f"no result ({result.state}: {result.reason})"


def _offends(row: Row, result: GateResult) -> bool:
    return not result.figures or row.cells[row.columns.index("finding")] != "NULL"


def _remedy(state: State, reason: str) -> str:
    match state:
        case State.NOT_EXERCISED:
            return "Run it where there are rows, or say --allow-empty where none are expected."
        case State.NOT_APPLICABLE:
            return f"Apply {reason.removeprefix('needs ')} first."
        case _:
            return "Put the gate's statement right."


def warning_of(result: GateResult) -> str:
    """Return the one line an informational gate is to be read by."""
    if result.count:
        found = counted(result.count, _noun(result))
        return f"{found} found" if result.fails else f"{found} to review"
    return f"{result.state}: {result.reason}"
