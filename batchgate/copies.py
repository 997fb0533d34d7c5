"""Copies of the rows that stand: the same data again, under keys of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.keys import (
    KeyColumn,
    KeyTable,
    Plan,
    Size,
    distance_of,
    measure,
    other_value,
    plan_moves,
    read_tables,
)
from batchgate.serverwords import masked


@dataclass(frozen=True)
class Copies:
    """How many rows were added by table, and why other tables were left as they are."""

    added: Mapping[str, int]
    refused: Mapping[str, str]


def copy_rows(connection: psycopg.Connection[Any], times: int = 1) -> Copies:
    """Add copies of every row of every user's table under new keys, all or none of a table.

    A foreign key of a copy points to the copy of what the original points to, or to the
    original where that table was refused. Triggers and foreign keys are not asked, which takes
    a superuser; checks are, and sequences stay where they stand.
    """
    refused: dict[str, str] = {}
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        tables = read_tables(connection)
        sizes = measure(cursor, tables)
        while True:
            plan = plan_moves(
                {name: tables[name] for name in sizes.keys() - refused.keys()}, refused
            )
            with connection.transaction() as attempt:
                added, failed = _insert(cursor, plan, sizes, times)
                if failed:
                    raise psycopg.Rollback(attempt)
            if not failed:
                return Copies(added, refused)
            refused |= _first_of(failed, tables)


def _first_of(failed: Mapping[str, str], tables: Mapping[str, KeyTable]) -> dict[str, str]:
    """Leave out those that may have failed because of another, which they refer to."""
    first = {
        name: reason
        for name, reason in failed.items()
        if not any(link.other in failed and link.other != name for link in tables[name].links)
    }
    return first or dict(failed)


def _insert(
    cursor: psycopg.Cursor[Any], plan: Plan, sizes: Mapping[str, Size], times: int
) -> tuple[dict[str, int], dict[str, str]]:
    """Insert the copies of each table; return how many there are, and which tables refused."""
    added, failed = {}, {}
    writer = _Writer(plan, sizes, times)
    was = cursor.execute("show session_replication_role").fetchone()
    cursor.execute("set local session_replication_role = replica")
    for name, table in sorted(plan.tables.items()):
        try:
            with cursor.connection.transaction():
                added[name] = cursor.execute(writer.statement(table)).rowcount
        except psycopg.Error as error:
            failed[name] = masked(error.diag.message_primary or str(error), error.sqlstate or "")
    cursor.execute("select set_config('session_replication_role', %s, true)", was)
    return added, failed


@dataclass(frozen=True)
class _Writer:
    """Writes the statement that copies a table."""

    plan: Plan
    sizes: Mapping[str, Size]
    times: int

    @property
    def salt(self) -> int:
        """Return a number that is another one each time rows are copied."""
        return sum(size.rows for size in self.sizes.values())

    def statement(self, table: KeyTable) -> sql.Composed:
        """Insert every row once more for each copy, with the values that are to move moved."""
        return sql.SQL(
            "insert into {table} ({columns}) overriding system value select {values} from {source}"
            " as t cross join pg_catalog.generate_series(1, {times}) as batchgate_copy (n)"
        ).format(
            table=sql.Identifier(table.schema, table.relation),
            columns=sql.SQL(", ").join(sql.Identifier(each.name) for each in table.columns),
            values=sql.SQL(", ").join(self._value(table, each) for each in table.columns),
            source=table.source,
            times=sql.Literal(self.times),
        )

    def _value(self, table: KeyTable, column: KeyColumn) -> sql.Composed | sql.Identifier:
        value = sql.Identifier("t", column.name)
        family = self.plan.moved.get((table.identity, column.name))
        if family is None:
            return value
        columns = [self.plan.column(place) for place in family]
        ends = [self.sizes[name].ranges.get(each, (0, 0)) for name, each in family]
        distance = distance_of(columns, ends, self.times)
        return other_value(
            column, value, sql.Identifier("batchgate_copy", "n"), distance, self.salt
        )
