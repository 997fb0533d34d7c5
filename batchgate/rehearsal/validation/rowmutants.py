"""Mutants of a batch that changes rows alone: in one table each, they are as before it."""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql

from batchgate.catalog import Snapshot
from batchgate.contents import take_contents
from batchgate.heights import Heights
from batchgate.mutation.damage import Mutant, Statement, words
from batchgate.mutation.definitions import of_column
from batchgate.rehearsal.stage import apply, below, watched
from batchgate.suite import Batch

# The rows go into a statement: more of them would make it long, and tell no more.
_ROWS = 2000


class _Column(NamedTuple):
    """A column that can be written to, and its type."""

    name: str
    type: str


def row_mutants(heights: Heights, batch: Batch) -> list[Mutant]:
    """Return a mutant for each table whose rows a batch changes; none has to be noticed."""
    schema = heights.schema_at(batch)
    with watched(heights, below(heights, batch)) as (database, observer):
        before = take_contents(observer).tables
        apply(heights, database, batch)
        after = take_contents(observer).tables
    changed = [
        table
        for table in sorted(before.keys() & after.keys())
        if before[table] != after[table]
        and before[table].rows <= _ROWS
        and ("relation", table) in schema.facts
    ]
    if not changed:
        return []
    with watched(heights, below(heights, batch)) as (_, observer):
        return [_as_before(observer, table, _columns(schema, table)) for table in changed]


def _as_before(observer: psycopg.Connection, table: str, columns: Sequence[_Column]) -> Mutant:
    names = ", ".join(column.name for column in columns)
    cells = ", ".join(f"(r.cells ->> {place})::{it.type}" for place, it in enumerate(columns))
    statements: list[Statement] = [
        # Neither triggers nor foreign keys see it, as they saw nothing of what never happened.
        sql.SQL("set local session_replication_role = replica"),
        words("delete from {table}", table=table),
        sql.SQL(
            "insert into {table} ({names}) overriding system value"
            " select {cells} from jsonb_array_elements({rows}) as r (cells)"
        ).format(
            table=sql.SQL(table),
            names=sql.SQL(names),
            cells=sql.SQL(cells),
            rows=sql.Literal(_rows(observer, table, columns)),
        ),
        sql.SQL("set local session_replication_role = default"),
    ]
    name = f"rows of {table} as before the batch"
    return Mutant(name, ("rows", table), None, tuple(statements), required=False)


def _rows(observer: psycopg.Connection, table: str, columns: Sequence[_Column]) -> str:
    """Return the rows of a table as one document of the texts of their cells."""
    cells = ", ".join(f"t.{column.name}::text" for column in columns)
    query = "select coalesce(jsonb_agg(array[{cells}]), '[]')::text from {table} as t"
    found = observer.execute(words(query, cells=cells, table=table)).fetchone()
    return str(found[0]) if found else "[]"


def _columns(schema: Snapshot, table: str) -> list[_Column]:
    return [
        _Column(of_column(name)[1], str(facts["type"]))
        for (class_, name), facts in sorted(schema.facts.items(), key=lambda fact: fact[0])
        if class_ == "column" and of_column(name)[0] == table and not facts["generated"]
    ]
