"""What a rollback could not have done otherwise, told from what it lost."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from batchgate.keys import KeyTable, read_tables
from batchgate.reading import reading
from batchgate.rehearsal.data.losses import CHANGED, Loss
from batchgate.rehearsal.data.sights import Sight, key_of
from batchgate.rehearsal.data.sources import where_key
from batchgate.rehearsal.data.writes import Writing

# A row by its table and its key.
Held = tuple[str, str]

_PLURAL = re.compile(r"(?:ies|es|s)$")


def held_rows(
    observer: psycopg.Connection[Any], made: set[Held], sights: Mapping[str, Sight]
) -> set[Held]:
    """Return those of the rows that other rows refer to which do not have to go themselves.

    By a foreign key, or by holding their key in a column that is named or made for it.
    """
    parents = {table for table, _ in made}
    joins = [
        each for each in _links(read_tables(observer), sights) if each.parent.identity in parents
    ]
    joins += [
        join
        for name in sorted(parents)
        for child in sights.values()
        for join in _mentions(child, sights[name])
    ]
    with reading(observer) as cursor:
        referring = [
            ((join.child.identity, below), (join.parent.identity, above))
            for join in joins
            for below, above in cursor.execute(_pairs(join)).fetchall()
        ]
    held: set[Held] = set()
    while True:
        more = {
            above
            for below, above in referring
            if above in made - held and (below not in made or below in held)
        }
        if not more:
            return held
        held |= more


def without_bound(
    observer: psycopg.Connection[Any],
    losses: Sequence[Loss],
    writing: Writing,
    sights: Mapping[str, Sight],
) -> tuple[list[Loss], list[str]]:
    """Leave out the values that may not stand without the batch, and say so in notes."""
    kept, notes = [], []
    for loss in losses:
        columns = tuple(
            name for name in loss.columns if not _is_bound(observer, loss, name, writing, sights)
        )
        notes += [
            f"{loss.table}, column {name}: what was written since may not stand without the batch"
            for name in loss.columns
            if name not in columns
        ]
        if columns or not loss.columns:
            kept.append(replace(loss, columns=columns))
    return kept, sorted(set(notes))


def _is_bound(
    observer: psycopg.Connection[Any],
    loss: Loss,
    name: str,
    writing: Writing,
    sights: Mapping[str, Sight],
) -> bool:
    """Try whether a value that we wrote and that is gone could stand where it stood."""
    place = (loss.table, loss.key)
    texts = writing.inserted.get(place) or writing.updated.get(place) or {}
    sight = sights.get(loss.table)
    if loss.kind != CHANGED or not loss.written or name not in texts or sight is None:
        return False
    if name not in sight.named:
        return False
    statement = sql.SQL("update {} as t set {} = {} where {}").format(
        sight.now.source,
        sql.Identifier(sight.named[name]),
        sql.Literal(texts[name]),
        where_key(loss.key, sight.named),
    )
    try:
        with observer.transaction(force_rollback=True):
            observer.execute(statement)
            observer.execute("set constraints all immediate")
    except psycopg.Error:
        return True
    return False


class _Join(NamedTuple):
    """Columns of a table whose values are those of the columns of another."""

    child: Sight
    parent: Sight
    columns: Sequence[tuple[str, str]]


def _links(tables: Mapping[str, KeyTable], sights: Mapping[str, Sight]) -> list[_Join]:
    """List the foreign keys between the tables that are looked at."""
    now = {sight.now.identity: sight for sight in sights.values()}
    found = []
    for table in tables.values():
        child = now.get(table.identity)
        by_name = sorted(table.links, key=attrgetter("name"))
        for _, group in groupby(by_name, attrgetter("name")):
            links = list(group)
            parent = now.get(links[0].other)
            if child and parent and parent.key:
                found.append(
                    _Join(child, parent, [(link.column, link.referenced) for link in links])
                )
    return found


def _mentions(child: Sight, parent: Sight) -> Iterator[_Join]:
    """Yield what may refer without a foreign key: a column of the key's type, named for the table.

    Of keys that are no one else's by their nature any column will do.
    """
    if len(parent.key) != 1 or child.identity == parent.identity:
        return
    key = parent.named[parent.key[0]]
    types = {column.name: column.type for column in parent.now.columns}
    for column in child.now.columns:
        named = _stem(parent.now.relation) in _stem(column.name)
        if column.type == types[key] and (named or column.type == "uuid"):
            yield _Join(child, parent, [(column.name, key)])


def _stem(name: str) -> str:
    """Return a name as it stands in others made from it, whatever its case and number."""
    return _PLURAL.sub("", name.lower().replace("_", ""))


def _pairs(join: _Join) -> sql.Composed:
    """Write what lists the keys of the rows that refer, with those of what they refer to."""
    joined = sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier("c", one), sql.Identifier("p", other))
        for one, other in join.columns
    )
    return sql.SQL(
        "select c.below, p.above from (select t.*, {below} as below from {child} as t) as c"
        " join (select t.*, {above} as above from {parent} as t) as p on {joined}"
    ).format(
        below=key_of(join.child) if join.child.key else sql.Literal(""),
        above=key_of(join.parent),
        child=join.child.now.source,
        parent=join.parent.now.source,
        joined=joined,
    )
