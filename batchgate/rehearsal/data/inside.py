"""What is written into objects that the batch made, and goes with them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from batchgate.contents import Stored
from batchgate.reading import reading
from batchgate.rehearsal.data.sights import Sight


@dataclass(frozen=True, order=True)
class Inside:
    """A table that the batch made, or a column of one that stood before; how much it holds."""

    table: str
    column: str
    count: int

    def __str__(self) -> str:
        what = "row" if not self.column else "value"
        many = f"1 {what}" if self.count == 1 else f"{self.count} {what}s"
        goes = "goes" if self.count == 1 else "go"
        return f"{many} in {self.table}{self.column and f', column {self.column},'} {goes} with it"


def held_inside(
    connection: psycopg.Connection[Any], now: Collection[Stored], sights: Mapping[str, Sight]
) -> list[Inside]:
    """Count what tables and columns hold that did not stand before, all in one statement."""
    stood = {sight.now.identity: sight for sight in sights.values()}
    parts = []
    for table in now:
        sight = stood.get(table.identity)
        if sight is None:
            parts.append(_count(table, sight_name=table.identity, column=""))
            continue
        known = set(sight.named.values())
        parts += [
            _count(table, sight_name=sight.identity, column=column.name)
            for column in table.columns
            if column.name not in known and not column.generated
        ]
    if not parts:
        return []
    with reading(connection) as cursor:
        found = cursor.execute(sql.SQL("\nunion all\n").join(parts)).fetchall()
    return [Inside(*row) for row in found]


def gone_with_it(before: Collection[Inside], after: Collection[Inside]) -> list[Inside]:
    """List what has come in between."""
    held = {(each.table, each.column): each.count for each in before}
    grown = (
        replace(each, count=each.count - held.get((each.table, each.column), 0)) for each in after
    )
    return sorted(each for each in grown if each.count > 0)


def _count(table: Stored, *, sight_name: str, column: str) -> sql.Composed:
    return sql.SQL("select {}, {}, count({}) from {} as t").format(
        sql.Literal(sight_name),
        sql.Literal(column),
        sql.Identifier("t", column) if column else sql.SQL("*"),
        table.source,
    )
