"""What tables hold and where sequences stand, as figures that can be compared."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from batchgate.errors import BatchgateError

Row: TypeAlias = Mapping[str, int]

_LARGE_OBJECTS = "large objects"


@dataclass(frozen=True)
class TableContents:
    """How many rows a table holds, their sum whatever their order, and its primary key."""

    rows: int
    checksum: str
    key: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "1 row" if self.rows == 1 else f"{self.rows} rows"


@dataclass(frozen=True)
class SequencePosition:
    """Where a sequence stands, and whether that value has been given out."""

    last_value: int
    is_called: bool

    def __str__(self) -> str:
        return f"{'after' if self.is_called else 'at'} {self.last_value}"


@dataclass(frozen=True)
class Contents:
    """The contents of every table and the position of every sequence, by qualified name."""

    tables: Mapping[str, TableContents]
    sequences: Mapping[str, SequencePosition]

    def not_exercised(self) -> list[str]:
        """List the tables without a row, about which a comparison says nothing."""
        return sorted(name for name, table in self.tables.items() if table.rows == 0)


@dataclass(frozen=True)
class ContentsDifference:
    """One table or sequence that does not hold what it held; None where it does not exist."""

    identity: str
    before: TableContents | SequencePosition | None
    after: TableContents | SequencePosition | None

    @property
    def advanced(self) -> bool:
        """Tell a sequence that only moved on, as numbers once drawn are not given back."""
        before, after = self.before, self.after
        return (
            isinstance(before, SequencePosition)
            and isinstance(after, SequencePosition)
            and (after.last_value, after.is_called) > (before.last_value, before.is_called)
        )

    @property
    def of_sequence(self) -> bool:
        """Tell a sequence, which no rollback of a transaction brings back, from a table."""
        return isinstance(self.before or self.after, SequencePosition)

    def __str__(self) -> str:
        what = "sequence" if self.of_sequence else "table"
        before, after = self.before or "absent", self.after or "absent"
        same = ", with other contents" if str(before) == str(after) else ""
        return f"changed: {what} {self.identity}: {before} → {after}{same}"


@dataclass(frozen=True)
class RowDifference:
    """One row that differs, told by its key and the names of its columns alone."""

    kind: str
    key: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.key}" + (f": {', '.join(self.columns)}" if self.columns else "")


def take_contents(connection: psycopg.Connection[Any]) -> Contents:
    """Read the figures of every table, materialized view and sequence of the users.

    An open transaction of the caller is read through a savepoint that is rolled back.
    """
    with _reading(connection) as cursor:
        stored = [Stored(*row) for row in cursor.execute(_query("stored.sql"))]
        figures = _one_statement(cursor, [_figures(one) for one in stored])
        large = cursor.execute(_query("large.sql")).fetchone()
    tables = {_LARGE_OBJECTS: TableContents(*large)} if large else {}
    sequences = {}
    for one in stored:
        number, text = figures[one.identity]
        if one.kind == "S":
            sequences[one.identity] = SequencePosition(int(number), text == "true")
        else:
            tables[one.identity] = TableContents(int(number), text, tuple(one.key or ()))
    return Contents(tables, sequences)


def compare_contents(before: Contents, after: Contents) -> list[ContentsDifference]:
    """List the tables, then the sequences, that differ."""
    return [
        ContentsDifference(name, was.get(name), stands.get(name))
        for was, stands in (
            (before.tables, after.tables),
            (before.sequences, after.sequences),
        )
        for name in sorted(was.keys() | stands.keys())
        if was.get(name) != stands.get(name)
    ]


def take_rows(connection: psycopg.Connection[Any], table: str) -> Mapping[str, Row]:
    """Read one table as a hash a column by primary key, to locate differences with later.

    A table without a key is read as a count by hash of the whole row.
    """
    with _reading(connection) as cursor:
        stored = [Stored(*row) for row in cursor.execute(_query("stored.sql"))]
        for one in stored:
            if one.identity == table and one.kind != "S":
                return dict(cursor.execute(_rows(one)))
    raise BatchgateError(
        f"table {table}: expected it to hold rows, found no such table",
        fix="Name it with its schema, quoted as the server would quote it.",
    )


def locate(before: Mapping[str, Row], after: Mapping[str, Row]) -> list[RowDifference]:
    """Name the keys and columns that differ between two readings of a table, and no values."""
    differences = []
    for key in sorted(before.keys() | after.keys()):
        was, stands = before.get(key), after.get(key)
        if was is None or stands is None:
            differences.append(RowDifference("destroyed" if stands is None else "left behind", key))
        elif was != stands:
            names = was.keys() | stands.keys()
            columns = tuple(sorted(name for name in names if was.get(name) != stands.get(name)))
            differences.append(RowDifference("changed", key, columns))
    return differences


class Stored(NamedTuple):
    """One row of queries/stored.sql: what holds rows or a position."""

    identity: str
    kind: str
    schema: str
    relation: str
    key: list[str] | None
    documents: list[str] | None
    spelled: list[str] | None


@contextmanager
def _reading(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[Any]]:
    """Open a cursor that writes every text alike and leaves nothing behind."""
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        if idle:
            cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute(_query("settings.sql"))
        yield cursor


@cache
def _query(name: str) -> bytes:
    return (files("batchgate") / "queries" / name).read_bytes()


def _one_statement(
    cursor: psycopg.Cursor[Any], parts: list[sql.Composed]
) -> dict[str, tuple[str, str]]:
    """Read all figures in one statement, so that they are of one moment in any transaction."""
    if not parts:
        return {}
    rows = cursor.execute(sql.SQL("\nunion all\n").join(parts)).fetchall()
    return {name: (first, second) for name, first, second in rows}


def _figures(one: Stored) -> sql.Composed:
    if one.kind == "S":
        query = "select {name}, t.last_value::text, t.is_called::text from {source} as t"
    else:
        query = (
            "select {name}, count(*)::text, coalesce(sum(hashtextextended(({row})::text, 0)), 0)"
            "::text from {source} as t"
        )
    return sql.SQL(query).format(name=sql.Literal(one.identity), row=_row(one), source=_source(one))


def _rows(one: Stored) -> sql.Composed:
    if not one.key:
        return sql.SQL(
            "select 'row ' || h.hash, jsonb_build_object('count', count(*)) from ("
            "select hashtextextended(({row})::text, 0) as hash from {source} as t"
            ") as h group by h.hash"
        ).format(row=_row(one), source=_source(one))
    pairs = [
        sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier("t", name)) for name in one.key
    ]
    return sql.SQL(
        "select jsonb_build_object({key})::text, (select jsonb_object_agg(e.key,"
        " hashtextextended(e.value::text, 0)) from jsonb_each({row}) as e) from {source} as t"
    ).format(key=sql.SQL(", ").join(pairs), row=_row(one), source=_source(one))


def _row(one: Stored) -> sql.Composed:
    """Write a row as one document, whatever the order of its columns.

    There a json null and an SQL null look the same, so json columns are asked which it is; and
    json, arrays, floats and composites lose spelling, bounds or sign, so their text is added.
    """
    parts = [sql.SQL("to_jsonb(t.*)")] + [
        sql.SQL("jsonb_build_object({}, {} is null)").format(
            sql.Literal(f"{name} is null"), sql.Identifier("t", name)
        )
        for name in one.documents or ()
    ]
    parts += [
        sql.SQL("jsonb_build_object({}, {}::text)").format(
            sql.Literal(f"{name} as text"), sql.Identifier("t", name)
        )
        for name in one.spelled or ()
    ]
    return sql.SQL(" || ").join(parts)


def _source(one: Stored) -> sql.Composed:
    """Name a relation; children of a partitioned table are read with it, others on their own."""
    only = sql.SQL("only " if one.kind == "r" else "")
    return only + sql.Identifier(one.schema, one.relation)
