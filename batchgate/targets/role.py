"""Who we are on a server, and what we could do there that READ ONLY does not prevent."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from batchgate.reading import read_query


@dataclass(frozen=True)
class Role:
    """The login of a session, the server it is on, and the powers for which it is refused.

    `server` is the version as people write it, `server_version` as the server counts it.
    """

    user: str
    session_user: str
    database: str
    server: str
    server_version: int
    standby: bool
    sees_statistics: bool
    bypasses_row_security: bool
    powers: tuple[str, ...]


def read_role(connection: psycopg.Connection[Any]) -> Role:
    """Ask the server who we are, in one query of the open transaction.

    Powers are what a SELECT can use although the transaction is read-only: a superuser's, and
    running programs, writing files, making and dropping slots, ending others' sessions. Those
    that READ ONLY does stop, such as pg_write_all_data or CREATEROLE, are none.
    """
    # Behind a pooler a prepared statement would stay with someone else's session.
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(read_query("role.sql"), prepare=False).fetchone()
    assert row is not None, "whoever is logged in has a role"
    facts = (*row[:-1], tuple(row[-1]))
    return Role(*facts)
