"""What tables hold and where sequences stand, as figures that can be compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from batchgate.excerpts import excerpt
from batchgate.particulars import Change
from batchgate.reading import read_query, reading

LARGE_OBJECTS = "large objects"


@dataclass(frozen=True)
class TableContents:
    """How many rows a table holds, their sum whatever their order, and what tells them apart."""

    rows: int
    checksum: str
    key: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return "1 row" if self.rows == 1 else f"{self.rows} rows"


@dataclass(frozen=True)
class SequencePosition:
    """Where a sequence stands, whether that value has been given out, and which way it goes."""

    last_value: int
    is_called: bool
    direction: int = field(default=1, compare=False)

    @property
    def place(self) -> tuple[int, bool]:
        """Return what grows with every number that is drawn."""
        return self.last_value * self.direction, self.is_called

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
            and after.place > before.place
        )

    @property
    def of_sequence(self) -> bool:
        """Tell a sequence, which no rollback of a transaction brings back, from a table."""
        return isinstance(self.before or self.after, SequencePosition)

    def __str__(self) -> str:
        what = "sequence" if self.of_sequence else "table"
        name = self.identity if self.identity == LARGE_OBJECTS else f"{what} {self.identity}"
        held = " → ".join(str(each) for each in (self.before, self.after) if each is not None)
        return f"{self._kind}: {name}: {held}{self._alike}"

    def change(self, at: str = "", rows: str = "") -> Change:
        """Return this as plain values; `rows` names some of those that differ."""
        what = "contents" if self.identity == LARGE_OBJECTS else "rows of a table"
        after = "none" if self.after is None else f"{self.after}{self._alike}"
        return Change(
            kind=self._kind,
            sort="sequence" if self.of_sequence else what,
            name=excerpt(self.identity),
            attribute="position" if self.of_sequence else "contents",
            before="none" if self.before is None else str(self.before),
            after=after,
            parts=excerpt(rows),
            note="numbers once drawn are not given back" if self.advanced else "",
            at=at,
        )

    @property
    def _kind(self) -> str:
        if self.before is None:
            return "left behind"
        return "destroyed" if self.after is None else "changed"

    @property
    def _alike(self) -> str:
        """Return what tells two sights apart whose figures are the same."""
        return ", with other contents" if str(self.before) == str(self.after) else ""


def change_of_rows(table: str, columns: str, at: str = "") -> Change:
    """Return as plain values that some columns of a table hold other values."""
    return Change(
        kind="changed",
        sort="rows of a table",
        name=excerpt(table),
        attribute=excerpt(columns),
        at=at,
    )


class StoredColumn(NamedTuple):
    """One column of what holds rows; its number stays when it is renamed."""

    number: int
    name: str
    type: str
    generated: bool


class Stored(NamedTuple):
    """One row of queries/stored.sql: what holds rows or a position; its number stays, too.

    What is vacant has no page, so no row: to plan a statement over it takes longer than to know.
    """

    identity: str
    kind: str
    schema: str
    relation: str
    number: int
    direction: int
    columns: tuple[StoredColumn, ...]
    key: tuple[str, ...]
    vacant: bool = False

    @property
    def source(self) -> sql.Composed:
        """Name a relation; partitions are read with the whole, other children on their own."""
        only = sql.SQL("only " if self.kind == "r" else "")
        return only + sql.Identifier(self.schema, self.relation)

    @property
    def partitioned(self) -> bool:
        """Tell whether each row stands in one of several partitions."""
        return self.kind == "p"


def take_contents(connection: psycopg.Connection[Any]) -> Contents:
    """Read the figures of every table, materialized view and sequence of the users.

    An open transaction of the caller is read through a savepoint that is rolled back.
    """
    with reading(connection) as cursor:
        stored = read_stored(cursor)
        figures = _one_statement(cursor, [_figures(one) for one in stored if not one.vacant])
        large = cursor.execute(read_query("large.sql")).fetchone()
    tables = {LARGE_OBJECTS: TableContents(*large)} if large else {}
    sequences = {}
    for one in stored:
        number, text = figures.get(one.identity, ("0", "0"))
        if one.kind == "S":
            sequences[one.identity] = SequencePosition(int(number), text == "true", one.direction)
        else:
            tables[one.identity] = TableContents(int(number), text, one.key)
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


def read_stored(cursor: psycopg.Cursor[Any]) -> list[Stored]:
    """List what holds rows or a position."""
    return [_stored(*row) for row in cursor.execute(read_query("stored.sql"))]


def _stored(*row: Any) -> Stored:
    identity, kind, schema, relation, number, direction, columns, key, vacant = row
    found = tuple(StoredColumn(*column) for column in columns or ())
    named = {column.number: column.name for column in found}
    names = tuple(named[each] for each in key or ())
    return Stored(identity, kind, schema, relation, number, direction, found, names, bool(vacant))


def _one_statement(cursor: psycopg.Cursor[Any], parts: list[bytes]) -> dict[str, tuple[str, str]]:
    """Read all figures in one statement, so that they are of one moment in any transaction."""
    if not parts:
        return {}
    rows = cursor.execute(b"\nunion all\n".join(parts)).fetchall()
    return {name: (first, second) for name, first, second in rows}


@lru_cache(maxsize=4096)
def _figures(one: Stored) -> bytes:
    """Write what asks for a relation's figures; to write it takes longer than to look it up."""
    if one.kind == "S":
        query = "select {name}, t.last_value::text, t.is_called::text from {source} as t"
    else:
        query = "select {name}, count(*)::text, coalesce(sum({hash}), 0)::text from {source} as t"
    names = [column.name for column in one.columns]
    return (
        sql.SQL(query)
        .format(name=sql.Literal(one.identity), hash=hash_of(names, one), source=one.source)
        .as_bytes()
    )


def hash_of(columns: Iterable[str], one: Stored) -> sql.Composed:
    """Write the hash of some columns of a row, as the server prints them.

    A printed row tells all that its values hold: null from nothing, the bounds of an array, the
    scale of a number, the blanks and the order of a document; and where it stands.
    """
    parts: list[sql.Composable] = [sql.Identifier("t", name) for name in columns]
    if one.partitioned:
        parts.append(sql.SQL("t.tableoid::regclass"))
    return sql.SQL("hashtextextended(row({})::text, 0)").format(sql.SQL(", ").join(parts))
