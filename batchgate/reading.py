"""How catalogs and rows are read: at one moment, written alike whoever asks, leaving nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

_ONE_MOMENT = b"set transaction isolation level repeatable read, read only;\n"


@contextmanager
def reading(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[Any]]:
    """Open a cursor that reads one moment; an open transaction is read through a savepoint.

    Rolling the savepoint back gives back the caller's settings and the locks of reading. A
    transaction of our own is committed: after a rollback psycopg forgets what it prepared.
    """
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    with (
        connection.transaction(force_rollback=not idle),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute((_ONE_MOMENT if idle else b"") + read_query("settings.sql"), prepare=False)
        yield cursor


@cache
def read_query(name: str) -> bytes:
    """Return the text of one of our queries."""
    return (files("batchgate") / "queries" / name).read_bytes()
