"""The locks that ordinary work takes: of who was there before a batch, and of who comes after."""

from enum import StrEnum

import psycopg
from psycopg import sql

from batchgate.locks import Mode
from batchgate.reading import read_query


class Who(StrEnum):
    """Those who work beside a batch; a reader is in the way of fewer."""

    READER = "reader"
    WRITER = "writer"


def hold_everything(session: psycopg.Connection, who: Who) -> None:
    """Open a transaction that has read every table, or has written to every one that it can."""
    tables = session.execute(read_query("lockable.sql")).fetchall()
    session.execute("begin")
    for schema, name, only_read in tables:
        if who is Who.READER or not only_read:
            lock(session, sql.Identifier(schema, name), who)


def lock(session: psycopg.Connection, table: sql.Identifier, who: Who) -> None:
    """Lock a table as its readers or its writers do."""
    if who is Who.READER:
        # A plan takes a reader's locks, those of indexes and partitions too, and runs nothing.
        session.execute(sql.SQL("explain select from {}").format(table))
    else:
        mode = sql.SQL(Mode.ROW_EXCLUSIVE.statement)
        session.execute(sql.SQL("lock table {} in {} mode").format(table, mode))


def awaited_by(observer: psycopg.Connection, pid: int) -> sql.Identifier | None:
    """Return the table that a session waits to lock, itself or an index of it."""
    row = observer.execute(read_query("awaited.sql"), [pid]).fetchone()
    return sql.Identifier(*row) if row else None
