"""Rows to write from: their values as texts, as they were before a batch and as they are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import sql

from batchgate.keys import KeyTable
from batchgate.reading import reading
from batchgate.rehearsal.data.sights import Sight, key_of

Texts: TypeAlias = Mapping[str, str | None]

# Of a table of which no row is picked, so many are taken.
_SOURCES = 2


class Pick(NamedTuple):
    """A row to write from, and the columns in which the batch changed it."""

    key: str
    changed: frozenset[str] = frozenset()


class Source(NamedTuple):
    """A row's values as texts: before the batch, by first names, and now."""

    pick: Pick
    before: Texts
    now: Texts


def read_sources(
    first: psycopg.Connection[Any],
    session: psycopg.Connection[Any],
    tables: Mapping[str, tuple[Sight, KeyTable, KeyTable]],
    picks: Mapping[str, Sequence[Pick]],
) -> dict[str, list[Source]]:
    """Read the rows to write from; of each table there is a sight, what it was and what it is."""
    with reading(first) as before, reading(session) as now:
        return {
            identity: list(_sources_of(before, now, *table, picks.get(identity)))
            for identity, table in tables.items()
        }


def _sources_of(
    before: psycopg.Cursor[Any],
    now: psycopg.Cursor[Any],
    sight: Sight,
    was: KeyTable,
    stands: KeyTable,
    picks: Sequence[Pick] | None,
) -> Iterator[Source]:
    if not sight.key:
        if (any_row := _texts(before, was, sql.SQL("true"))) is not None:
            yield Source(Pick(""), any_row, _texts(now, stands, sql.SQL("true")) or {})
        return
    for pick in picks or [Pick(key) for key in _first_keys(before, sight, was)]:
        row = _texts(before, was, where_key(pick.key, {}))
        if row is not None:
            yield Source(pick, row, _texts(now, stands, where_key(pick.key, sight.named)) or {})


def _first_keys(cursor: psycopg.Cursor[Any], sight: Sight, table: KeyTable) -> list[str]:
    """Return the keys of a table's first rows, by the columns that stood at first."""
    same = sight._replace(named={name: name for name in sight.key})
    order = [sql.Identifier("t", name) for name in sight.key]
    query = sql.SQL("select {key} from {source} as t order by {order} limit {limit}").format(
        key=key_of(same),
        source=table.source,
        order=sql.SQL(", ").join(order),
        limit=sql.Literal(_SOURCES),
    )
    return [key for (key,) in cursor.execute(query)]


def _texts(
    cursor: psycopg.Cursor[Any], table: KeyTable, where: sql.Composable
) -> dict[str, str | None] | None:
    names = [column.name for column in table.columns]
    query = sql.SQL("select array[{}]::text[] from {} as t where {} limit 1").format(
        sql.SQL(", ").join(map(text_of, names)), table.source, where
    )
    found = cursor.execute(query).fetchone()
    return dict(zip(names, found[0], strict=True)) if found else None


def text_of(name: str) -> sql.Composed:
    """Write a column's value as a text."""
    return sql.SQL("{}::text").format(sql.Identifier("t", name))


def where_key(key: str, named: Mapping[str, str]) -> sql.Composed:
    """Write the condition that finds a row by its key."""
    values: dict[str, str] = json.loads(key)
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier("t", named.get(name, name)), sql.Literal(text))
        for name, text in values.items()
    )
