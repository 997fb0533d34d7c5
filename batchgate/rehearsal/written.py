"""How many rows a batch's file wrote, table by table, as the server counts them."""

from collections.abc import Mapping

import psycopg

from batchgate.reading import read_query, reading

_SHARED_SINCE = 150000  # before, a collector writes the shared counters down in its own time


def hand_in(session: psycopg.Connection) -> None:
    """Have a session add what it counted to what all see."""
    if session.info.server_version >= _SHARED_SINCE:
        session.execute("select pg_catalog.pg_stat_force_next_flush()")


def rows_written(observer: psycopg.Connection) -> dict[str, int]:
    """Return how many rows were written to each table so far, by those who have handed it in.

    Empty before PostgreSQL 15.
    """
    if observer.info.server_version < _SHARED_SINCE:
        return {}
    with reading(observer) as cursor:
        return dict(cursor.execute(read_query("written.sql")).fetchall())


def written_since(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return by table what was written in between, without those that nothing was written to."""
    since = {name: count - before.get(name, 0) for name, count in sorted(after.items())}
    return {name: count for name, count in since.items() if count > 0}
