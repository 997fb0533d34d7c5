"""Whether what a gate has read meant the same to its snapshot as it does to the server.

A name is looked up, a plan is made and an index is read as the catalogs are now; rows are seen as
they were when the snapshot was taken. In between a table may have been rewritten or swapped, which
looks empty or holds other rows; a partition moved; a column set NOT NULL, which lets the planner
skip a condition; and on a standby an index may have been built that lacks rows which only an
older snapshot sees (PostgreSQL, "Caveats" of concurrency control).
"""

from dataclasses import dataclass

import psycopg

from batchgate.reading import read_query


@dataclass(frozen=True)
class Meaning:
    """What the open transaction has read so far, and all that is said of it in the catalogs."""

    relations: tuple[int, ...]
    facts: str


def meaning_of_all_read(connection: psycopg.Connection) -> Meaning:
    """Return what the transaction has read, and what that meant at its snapshot."""
    row = connection.execute(read_query("read_relations.sql")).fetchone()
    assert row is not None, "an aggregate returns one row"
    return meaning_of(connection, tuple(row[0]))


def meaning_of(connection: psycopg.Connection, relations: tuple[int, ...]) -> Meaning:
    """Return what relations mean at the snapshot of the open transaction."""
    asked = {"relations": list(relations)}
    row = connection.execute(read_query("meaning.sql"), asked).fetchone()
    assert row is not None, "an aggregate returns one row"
    return Meaning(relations, str(row[0]))
