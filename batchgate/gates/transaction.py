"""The transaction a gate runs in: it cannot write, and is held to limits."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from batchgate.faults import is_stale
from batchgate.limits import Limits
from batchgate.reading import read_query


class StaleSnapshot(Exception):
    """A snapshot could not be imported, since whoever exported it has let go of it."""


@dataclass(frozen=True)
class Begun:
    """Where a transaction runs: on a standby or not, and in which of the server's processes."""

    standby: bool
    pid: int


def begin_transaction(
    connection: psycopg.Connection, limits: Limits, name: str, snapshot: str = ""
) -> Begun:
    """Begin a transaction that cannot write, held to the limits.

    The first query freezes READ ONLY; a snapshot can be imported only before it. A pooler between
    us and the server would tell another process than the one that works.
    Raises StaleSnapshot where there is no such snapshot any more.
    """
    imported = sql.SQL("set transaction snapshot {};").format(sql.Literal(snapshot))
    begun = sql.SQL("begin isolation level repeatable read read only; {}").format(
        imported if snapshot else sql.SQL("")
    )
    try:
        connection.execute(begun)
    except psycopg.Error as error:
        if snapshot and is_stale(error):
            raise StaleSnapshot(snapshot) from None
        raise
    row = connection.execute(
        "select pg_catalog.pg_is_in_recovery(), pg_catalog.pg_backend_pid()"
    ).fetchone()
    assert row is not None, "a query without from returns one row"
    hold(connection, limits, application_name=f"batchgate/{name}")
    return Begun(*row)


def end_transaction(connection: psycopg.Connection) -> None:
    """Roll back; a connection that cannot is closed, which ends its transaction, too."""
    if connection.broken:
        return
    try:
        connection.rollback()
    except psycopg.Error:
        connection.close()


def is_standby(connection: psycopg.Connection) -> bool:
    """Tell whether the server replays another's log at this moment."""
    row = connection.execute("select pg_catalog.pg_is_in_recovery()").fetchone()
    return bool(row and row[0])


def hold(connection: psycopg.Connection, limits: Limits, **more: str) -> None:
    """Hold the open transaction to its limits, and nothing after it.

    Said again before each step: a function that a gate calls may have changed them.
    """
    settings = {**limits.settings(connection.info.server_version), **more}
    connection.execute(
        read_query("hold.sql"), {"names": list(settings), "values": list(settings.values())}
    )
