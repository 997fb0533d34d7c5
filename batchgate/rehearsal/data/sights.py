"""The rows of tables, looked at under the names that they and their columns had at first."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import sql

from batchgate.contents import Stored, StoredColumn, hash_of, read_stored
from batchgate.findings import MASK
from batchgate.reading import reading

Cells: TypeAlias = tuple[int | None, ...]
Alike: TypeAlias = Callable[[StoredColumn, StoredColumn], bool]

PARTITION = "its partition"

_NUMBER = re.compile(r"0|-?[1-9]\d{0,18}")
_PERSONAL = re.compile(r"@|(?:\d[ ./()-]*){7}")
_HARMLESS = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d\S*)?"
)


class Sight(NamedTuple):
    """A table as it stands now, by the names that it and its columns had at first.

    `retyped` are the columns whose values may be written in another way now; `key` is empty
    where nothing tells the rows apart that did at first. The values of `computed` ones are the
    table's own doing now.
    """

    identity: str
    now: Stored
    named: Mapping[str, str]
    key: tuple[str, ...]
    retyped: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rows:
    """One reading of a table: hashes of the cells by key, or how often each row is there."""

    columns: tuple[str, ...] = ()
    cells: Mapping[str, Cells] | None = None
    loose: Mapping[int, int] | None = None

    def row(self, key: str) -> dict[str, int | None] | None:
        """Return a row's cells by column, or None where there is no such row."""
        cells = (self.cells or {}).get(key)
        return None if cells is None else dict(zip(self.columns, cells, strict=True))


def tables_of(connection: psycopg.Connection[Any]) -> list[Stored]:
    """List the tables that stand; what materialized views hold follows from them."""
    with reading(connection) as cursor:
        return [one for one in read_stored(cursor) if one.kind in ("r", "p")]


def by_name(first: Iterable[Stored], now: Iterable[Stored]) -> dict[str, Sight]:
    """Look for tables and columns where they are called what they were called."""
    named = {one.identity: one for one in now}
    return {
        one.identity: _sight(one, named[one.identity], _same_name)
        for one in first
        if one.identity in named
    }


def by_number(first: Iterable[Stored], now: Iterable[Stored]) -> dict[str, Sight]:
    """Look for the very tables and columns, whatever they are called."""
    numbered = {one.number: one for one in now}
    return {
        one.identity: _sight(one, numbered[one.number], _same_number)
        for one in first
        if one.number in numbered
    }


def as_used(first: Iterable[Stored], now: Sequence[Stored]) -> dict[str, Sight]:
    """Look where an application would: by name, and after what was renamed."""
    named = {one.identity: one for one in now}
    numbered = {one.number: one for one in now}
    sights = {}
    for one in first:
        if table := named.get(one.identity) or numbered.get(one.number):
            same = table.number == one.number
            names = {column.name for column in one.columns}
            alike = (_renamed_beyond(names), _same_name) if same else (_same_name,)
            sights[one.identity] = _sight(one, table, *alike)
    return sights


def take_rows(connection: psycopg.Connection[Any], sights: Iterable[Sight]) -> dict[str, Rows]:
    """Read tables as a hash of each cell by key, else as a count by hash of the whole row."""
    with reading(connection) as cursor:
        return {sight.identity: _rows(cursor, sight) for sight in sights}


def figures(connection: psycopg.Connection[Any], sights: Iterable[Sight]) -> dict[str, str]:
    """Return a checksum of each table over the columns that are looked at."""
    parts = [
        sql.SQL(
            "select {name}, concat_ws(' ', count(*), coalesce(sum({hash}), 0)) from {source} as t"
        ).format(
            name=sql.Literal(sight.identity),
            hash=hash_of(sight.named.values(), sight.now),
            source=sight.now.source,
        )
        for sight in sights
    ]
    if not parts:
        return {}
    with reading(connection) as cursor:
        return dict(cursor.execute(sql.SQL("\nunion all\n").join(parts)).fetchall())


def key_of(sight: Sight) -> sql.Composed:
    """Write a row's key: its values as texts, whatever their types are now."""
    pairs = [
        sql.SQL("{}, concat({})").format(sql.Literal(name), sql.Identifier("t", sight.named[name]))
        for name in sight.key
    ]
    return sql.SQL("jsonb_build_object({})::text").format(sql.SQL(", ").join(pairs))


def shown_key(key: str) -> str:
    """Return a key as messages print it; what could be a person's address or number is masked."""
    values: dict[str, str] = json.loads(key)
    return json.dumps({name: _shown(text) for name, text in values.items()}, ensure_ascii=False)


def _sight(first: Stored, now: Stored, *alike: Alike) -> Sight:
    pairs = [(column, _found(column, now, alike)) for column in first.columns]
    found = [(column, other) for column, other in pairs if other]
    named = {column.name: other.name for column, other in found}
    retyped = frozenset(column.name for column, other in found if column.type != other.type)
    key = first.key if named.keys() >= set(first.key) else ()
    computed = frozenset(column.name for column, other in found if other.generated)
    return Sight(first.identity, now, named, key, retyped, computed)


def _found(column: StoredColumn, table: Stored, alike: Iterable[Alike]) -> StoredColumn | None:
    return next((other for same in alike for other in table.columns if same(column, other)), None)


def _same_name(one: StoredColumn, other: StoredColumn) -> bool:
    return one.name == other.name


def _same_number(one: StoredColumn, other: StoredColumn) -> bool:
    return one.number == other.number


def _renamed_beyond(names: Collection[str]) -> Alike:
    """Follow a column to its new name, unless another one was called so: then they were swapped."""
    return lambda one, other: (
        _same_number(one, other) and (one.name == other.name or other.name not in names)
    )


def _rows(cursor: psycopg.Cursor[Any], sight: Sight) -> Rows:
    if not sight.key:
        query = sql.SQL(
            "select h.hash, count(*) from (select {hash} as hash from {source} as t) as h"
            " group by h.hash"
        ).format(hash=hash_of(sight.named.values(), sight.now), source=sight.now.source)
        return Rows(tuple(sight.named), loose=dict(cursor.execute(query).fetchall()))
    cells: list[sql.Composable] = [sql.Identifier("t", name) for name in sight.named.values()]
    columns = tuple(sight.named)
    if sight.now.partitioned:
        cells.append(sql.SQL("t.tableoid::regclass"))
        columns += (PARTITION,)
    # A row of nothing but null is printed as (), and hashed as null.
    query = sql.SQL("select {key}, array[{cells}] from {source} as t").format(
        key=key_of(sight),
        cells=sql.SQL(", ").join(
            sql.SQL("hashtextextended(nullif(row({})::text, '()'), 0)").format(cell)
            for cell in cells
        ),
        source=sight.now.source,
    )
    return Rows(columns, {key: tuple(hashes) for key, hashes in cursor.execute(query)})


def _shown(text: str) -> str | int:
    if _NUMBER.fullmatch(text):
        return int(text)
    return MASK if _PERSONAL.search(text) and not _HARMLESS.fullmatch(text) else text
