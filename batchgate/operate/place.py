"""The database that a command works on: the way in, and what is said of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from batchgate.binaries import OLDEST
from batchgate.errors import Refused, ServerUnavailable
from batchgate.faults import cause_of
from batchgate.serverwords import gate_words
from batchgate.targets.address import Target, connect

_LIMITED = (
    "Look at the settings of the role and of the database, such as statement_timeout;"
    " PGOPTIONS='-c statement_timeout=0' goes before them."
)
# What has a protocol of its own says so: a pooler's console, a connection for replication.
_NO_SESSION = "08P01"
_ORDINARY = "Name a database of a PostgreSQL server in --dsn, for an ordinary session."


@dataclass(frozen=True)
class Place:
    """A database as its server tells of it; `address` is where it was looked for."""

    database: str
    role: str
    address: str
    version: str
    standby: bool

    def __str__(self) -> str:
        where = f" {self.address} "
        # libpq quotes a name with blanks in it.
        for said in (f"dbname={self.database}", f"dbname='{self.database}'", f"user={self.role}"):
            where = where.replace(f" {said} ", " ", 1)
        on = f" on {where.strip()}" if where.strip() else ""
        return f"{self.database} as {self.role}{on}, PostgreSQL {self.version}"


def enter(target: Target, *, application_name: str = "batchgate") -> psycopg.Connection:
    """Connect to the server of a target, in autocommit mode.

    Raises TargetUnavailable; and Refused for a server that is too old, and where a pooler stands
    between, which would give what we lock and set to somebody else.
    """
    connection = connect(target, application_name=application_name)
    if (found := connection.info.server_version // 10000) < OLDEST:
        connection.close()
        raise Refused(
            f"{target.address}: expected PostgreSQL {OLDEST} or newer, found {found}",
            fix="Name another server in --dsn, or run the files with psql.",
        )
    with answered(connection, target):
        told = connection.execute("select pg_catalog.pg_backend_pid()").fetchone()
    if told != (connection.info.backend_pid,):
        connection.close()
        raise Refused(
            f"{target.address}: expected a PostgreSQL server, found a pooler before it",
            cause="A pooler may give each transaction another connection; what is set and locked"
            " for a session does not hold there.",
            fix="Name the server itself in --dsn.",
        )
    return connection


@contextmanager
def answered(connection: psycopg.Connection[Any], target: Target) -> Iterator[None]:
    """Say so where a question of our own gets no answer.

    Raises ServerUnavailable where the connection is lost, and Refused where a limit of the role's
    cuts the question short. What we asked wrongly is our own fault, and raised as it is.
    """
    try:
        yield
    except psycopg.Error as error:
        said = gate_words(error, "", "", 0)
        if connection.broken:
            raise ServerUnavailable(
                f"{target.address}: expected the connection to last, it was lost",
                cause=said,
                fix="Look whether the server runs, and run the command again.",
            ) from None
        if not cause_of(error):
            raise
        raise Refused(
            f"{target.address}: expected an answer to what the command asks itself, found none",
            cause=said,
            fix=_LIMITED if error.sqlstate != _NO_SESSION else _ORDINARY,
        ) from None


def place_of(connection: psycopg.Connection, target: Target) -> Place:
    """Ask the server what is said of the database."""
    row = connection.execute(
        "select pg_catalog.current_database(), current_user::text,"
        " pg_catalog.current_setting('server_version'), pg_catalog.pg_is_in_recovery()"
    ).fetchone()
    assert row is not None, "a select without a from returns a row"
    database, role, version, standby = row
    return Place(database, role, target.address, version.partition(" ")[0], standby)
