"""What an application writes while a batch stands: copies of rows, and values in rows that stand.

It is the application of before the batch, which knows the columns that stood then; where the
batch no longer lets it write so, it is the one of after. What is refused is not written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.keys import (
    KeyColumn,
    KeyTable,
    Size,
    distance_of,
    literal_of,
    measure,
    next_value,
    other_value,
    read_tables,
    reluctance,
)
from batchgate.rehearsal.data.sights import Sight, key_of
from batchgate.rehearsal.data.sources import Pick, Source, Texts, read_sources, text_of, where_key

_ANY = sql.SQL("")


@dataclass
class Writing:
    """What was written, by table and key: the columns' first names and their texts."""

    inserted: dict[tuple[str, str], Texts] = field(default_factory=dict)
    updated: dict[tuple[str, str], dict[str, str | None]] = field(default_factory=dict)

    def holds(self, table: str, key: str, column: str) -> bool:
        """Tell whether a row was written by us, or one of its columns."""
        place = (table, key)
        if place in self.inserted:
            return True
        return column in self.updated.get(place, {}) if column else place in self.updated


def write(
    session: psycopg.Connection[Any],
    first: psycopg.Connection[Any],
    before: Mapping[str, KeyTable],
    sights: Mapping[str, Sight],
    picks: Mapping[str, Sequence[Pick]],
    *,
    inserts: bool = True,
    updates: bool = True,
) -> Writing:
    """Write to each table that is looked at, from the picked rows or from any.

    `first` is connected to a database in which the batch does not stand, and `before` are its
    tables. Every statement is a
    transaction of its own, with triggers and constraints on.
    """
    writer = _Writer(session, first, before, sights)
    sources = read_sources(first, session, writer.tables, picks)
    for identity in writer.parents_first():
        if inserts:
            for number, source in enumerate(sources[identity]):
                writer.insert(identity, source, timeless=number == 0)
        if updates and sights[identity].key:
            for source in sources[identity]:
                writer.update(identity, source, sources[identity])
    return writer.writing


class _Writer:
    """Writes row by row, and keeps what was written."""

    def __init__(
        self,
        session: psycopg.Connection[Any],
        first: psycopg.Connection[Any],
        before: Mapping[str, KeyTable],
        sights: Mapping[str, Sight],
    ) -> None:
        self.writing = Writing()
        self._session = session
        self._before = before
        self._tables = read_tables(session)
        self._sights = {
            identity: sight
            for identity, sight in sights.items()
            if sight.now.identity in self._tables and identity in self._before
        }
        self._sizes = _measured(session, [self._table(each) for each in self._sights])
        self._sizes_before = _measured(first, [self._before[each] for each in self._sights])
        self._copies: dict[str, Texts] = {}

    def _table(self, identity: str) -> KeyTable:
        return self._tables[self._sights[identity].now.identity]

    @property
    def tables(self) -> dict[str, tuple[Sight, KeyTable, KeyTable]]:
        """Return of each table how it is looked at, what it was and what it is."""
        return {
            identity: (sight, self._before[identity], self._table(identity))
            for identity, sight in self._sights.items()
        }

    def parents_first(self) -> list[str]:
        """Order the tables so that what others refer to comes before them, where it can."""
        ordered: dict[str, None] = {}
        now = {self._sights[identity].now.identity: identity for identity in self._sights}

        def visit(identity: str, above: frozenset[str]) -> None:
            for link in self._table(identity).links:
                if link.other in now and now[link.other] not in above | ordered.keys():
                    visit(now[link.other], above | {now[link.other]})
            ordered[identity] = None

        for identity in sorted(self._sights):
            if identity not in ordered:
                visit(identity, frozenset({identity}))
        return list(ordered)

    def insert(self, identity: str, source: Source, *, timeless: bool) -> None:
        """Insert a copy of a row under a new key, in the first way that is accepted.

        `timeless` leaves the times that the table itself fills in to the table, as it is usual.
        """
        sight, table = self._sights[identity], self._table(identity)
        linked = {link.column for link in table.links}
        linked |= {sight.named[each] for each in sight.retyped}
        old = {
            now: source.now.get(now, source.before.get(first))
            if now in linked
            else source.before.get(first)
            for first, now in sight.named.items()
        }
        times = {each.name for each in table.columns if each.kind == "time" and each.has_default}
        plain = {name: text for name, text in old.items() if name not in times}
        ways: list[Texts] = [plain] if timeless else []
        ways += [old, {**source.now, **old}, source.now]
        for place, values in enumerate(ways):
            if values and values not in ways[:place] and self._insert(identity, values):
                return

    def _insert(self, identity: str, values: Texts) -> bool:
        sight, table = self._sights[identity], self._table(identity)
        given = [column for column in table.columns if column.name in values]
        moved, pointed = self._new_key(identity, given)
        statement = sql.SQL(
            "insert into {table} as t ({columns}) overriding system value values ({values})"
            " returning {key}, array[{texts}]::text[]"
        ).format(
            table=sql.Identifier(table.schema, table.relation),
            columns=sql.SQL(", ").join(sql.Identifier(each.name) for each in given),
            values=sql.SQL(", ").join(
                sql.Literal(pointed[each.name])
                if each.name in pointed
                else self._moved(identity, each, values[each.name])
                if each.name in moved
                else sql.Literal(values[each.name])
                for each in given
            ),
            key=key_of(sight) if sight.key else sql.Literal(""),
            texts=sql.SQL(", ").join(text_of(each.name) for each in given),
        )
        found = self._tried(statement)
        if found is None:
            return False
        key, texts = found
        written = dict(zip((each.name for each in given), texts, strict=True))
        self._copies.setdefault(table.identity, written)
        self.writing.inserted[identity, key] = {
            first: written[now] for first, now in sight.named.items() if now in written
        }
        return True

    def _new_key(
        self, identity: str, given: Sequence[KeyColumn]
    ) -> tuple[set[str], dict[str, str | None]]:
        """Choose in each unique key, of now and of before, what is to be another value.

        Where that is a foreign key, it points to the copy of what it points to.
        """
        named = self._sights[identity].named
        table, before = self._table(identity), self._before[identity]
        keys = table.keys + [
            [named[name] for name in key] for key in before.keys if named.keys() >= set(key)
        ]
        links = {link.column: link for link in table.links}
        moved: set[str] = set()
        pointed: dict[str, str | None] = {}
        for key in sorted(keys, key=len):
            if moved & set(key) or pointed.keys() & set(key):
                continue
            free = [each for each in given if each.name in key and each.name not in links]
            if able := [each for each in free if each.kind]:
                moved.add(min(able, key=reluctance).name)
                continue
            for name in key:
                link = links.get(name)
                if link and link.other in self._copies:
                    pointed[name] = self._copies[link.other].get(link.referenced)
        return moved, pointed

    def _moved(self, identity: str, column: KeyColumn, text: str | None) -> sql.Composable:
        if text is None:
            return sql.Literal(None)
        named = {now: first for first, now in self._sights[identity].named.items()}
        sizes = (
            (self._sizes.get(self._table(identity).identity), column.name),
            (self._sizes_before.get(identity), named.get(column.name, "")),
        )
        ends = [size.ranges[name] for size, name in sizes if size and name in size.ranges]
        distance = distance_of([column], ends or [(0, 0)], 1)
        salt = sum(size.rows for size in self._sizes.values())
        return other_value(column, literal_of(column, text), sql.Literal(1), distance, salt)

    def update(self, identity: str, source: Source, others: Iterable[Source]) -> None:
        """Change one value that the batch changed, and one that it did not, as far as accepted."""
        sight, table = self._sights[identity], self._table(identity)
        fixed = {name for key in table.keys for name in key} | {link.column for link in table.links}
        before = (*self._before[identity].keys, sight.retyped)
        fixed |= {sight.named[name] for key in before for name in key if name in sight.named}
        columns = {each.name: each for each in table.columns if not each.of_partition}
        free = [
            (first, columns[now])
            for first, now in sorted(sight.named.items())
            if now in columns and now not in fixed
        ]
        # The time of a change, which a trigger may set, comes last.
        free.sort(key=lambda pair: pair[1].kind == "time")
        for wanted in (True, False):
            for first, column in free:
                if (first in source.pick.changed) is wanted and self._update(
                    identity, source, first, column, others
                ):
                    break

    def _update(
        self,
        identity: str,
        source: Source,
        first: str,
        column: KeyColumn,
        others: Iterable[Source],
    ) -> bool:
        sight, table = self._sights[identity], self._table(identity)
        texts = (other.now.get(column.name) for other in others)
        values: list[sql.Composable] = [sql.Literal(text) for text in texts if text is not None]
        if change := next_value(column, sql.Identifier("t", column.name)):
            values.append(change)
        # What stood before the batch is what a rollback writes; written since, it tells nothing.
        anew = sql.SQL(" and ({value})::text is distinct from {before}")
        for value, condition in [*((each, anew) for each in values), *((e, _ANY) for e in values)]:
            statement = sql.SQL(
                "update {source} as t set {column} = {value} where {where}"
                " and t.{column} is distinct from {value}{anew}"
                " returning {key}, array[{text}]::text[]"
            ).format(
                anew=condition.format(value=value, before=sql.Literal(source.before.get(first))),
                source=table.source,
                column=sql.Identifier(column.name),
                value=value,
                where=where_key(source.pick.key, sight.named),
                key=key_of(sight),
                text=text_of(column.name),
            )
            if found := self._tried(statement):
                key, texts_now = found
                self.writing.updated.setdefault((identity, key), {})[first] = texts_now[0]
                return True
        return False

    def _tried(self, statement: sql.Composed) -> tuple[str, list[str | None]] | None:
        """Run a statement in a transaction of its own; None where it is refused or finds no row."""
        try:
            with (
                self._session.transaction(),
                self._session.cursor(row_factory=tuple_row) as cursor,
            ):
                return cursor.execute(statement).fetchone()
        except psycopg.Error:
            return None


def _measured(connection: psycopg.Connection[Any], tables: Iterable[KeyTable]) -> dict[str, Size]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return measure(cursor, {each.identity: each for each in tables})
