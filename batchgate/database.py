"""Databases on a server: connect, create, clone, drop, and templates that are made once."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from pytest_postgresql.janitor import DatabaseJanitor

from batchgate.errors import ServerUnavailable
from batchgate.libpq import parameters, undisturbed
from batchgate.reading import read_query
from batchgate.server import Server

# A longer name is cut by the server, without a word, and may then be another database's.
_NAME_LIMIT = 63
_STRATEGY_SINCE = 150000
# The high half of our advisory locks' keys, so that they meet no one else's.
_LOCK_SPACE = 0x62617463 << 32


def connect(
    server: Server, dbname: str, *, autocommit: bool = True, **options: Any
) -> psycopg.Connection:
    """Connect as the owner of everything; raises ServerUnavailable where no connection comes."""
    given = {**parameters(), "application_name": "batchgate", **options}
    try:
        with undisturbed():
            return psycopg.connect(server.conninfo(dbname), autocommit=autocommit, **given)
    except psycopg.OperationalError as error:
        raise ServerUnavailable(
            f"server: expected a connection to database {dbname}, got none",
            at=f"{server.host}, port {server.port}",
            cause=str(error).strip(),
            fix="Look whether the server runs still, and whether the database is there.",
        ) from error


def create_database(
    server: Server,
    name: str,
    template: str | None = None,
    *,
    session: psycopg.Connection | None = None,
) -> None:
    """Create a database, a copy of `template` where one is named.

    `session` is an open one on the maintenance database, for who creates many.
    """
    _Janitor(server, name, template=template, session=session).init()


def drop_database(server: Server, name: str, *, session: psycopg.Connection | None = None) -> None:
    """Drop a database or a template, ending its connections first; one that is gone is fine."""
    _Janitor(server, name, as_template=True, session=session).drop()


def database_exists(server: Server, name: str) -> bool:
    """Tell whether a database of that name stands, template or not."""
    with connect(server, server.maintenance_dbname) as session:
        return _is_template(session, name) is not None


def mark_template(session: psycopg.Connection, name: str) -> None:
    """Declare a database finished: to be copied by all, and entered by no one."""
    statement = sql.SQL("alter database {} with is_template true allow_connections false")
    session.execute(statement.format(sql.Identifier(name)))


def ensure_template(
    server: Server,
    name: str,
    base: str | None,
    *builds: Callable[[psycopg.Connection], None],
) -> bool:
    """Make a template of `base` with what `builds` do to it, unless it stands already.

    Each builds in a session of its own. Of several processes that ask at once, one builds and the
    others wait; tells whether it was this one. Where a build raises, no template is left, and the
    next to ask tries again.
    """
    with connect(server, server.maintenance_dbname) as session:
        # Held by this connection, so that it ends with us however we end.
        session.execute("select pg_advisory_lock(%s)", (_LOCK_SPACE | zlib.crc32(name.encode()),))
        if _is_template(session, name):
            return False
        # What a killed process left half made.
        drop_database(server, name, session=session)
        create_database(server, name, base, session=session)
        try:
            for build in builds:
                with connect(server, name) as builder:
                    build(builder)
            mark_template(session, name)
        except BaseException:
            drop_database(server, name, session=session)
            raise
    return True


def _no_room(server: Server, name: str, error: psycopg.errors.DiskFull) -> ServerUnavailable:
    return ServerUnavailable(
        f"server: expected room for database {name}, found none",
        at=server.host,
        cause=error.diag.message_primary or "",
        fix="Make room there, about 20 MB for each batch, or set TMPDIR to a folder with room.",
    )


def _is_template(session: psycopg.Connection, name: str) -> bool | None:
    """Tell whether a database is a template; None where there is no such database."""
    found = session.execute(
        "select datistemplate from pg_catalog.pg_database where datname = %s", (name,)
    ).fetchone()
    return found[0] if found else None


class _Janitor(DatabaseJanitor):
    """pytest-postgresql's janitor on our own connections.

    Its own cursor tries a failing connection again for a minute, whatever the failure.
    """

    def __init__(
        self,
        server: Server,
        name: str,
        *,
        template: str | None = None,
        as_template: bool = False,
        session: psycopg.Connection | None = None,
    ) -> None:
        if len(name.encode()) > _NAME_LIMIT:
            raise ValueError(f"database name {name!r} is longer than {_NAME_LIMIT} bytes")
        super().__init__(
            user=server.user,
            host=server.host,
            port=server.port,
            dbname=name,
            template_dbname=template,
            maintenance_dbname=server.maintenance_dbname,
            as_template=as_template,
        )
        self.server = server
        self.session = session

    def init(self) -> None:
        """Create the database, copying files where the server can: half the time of its log."""
        statement = sql.SQL("create database {}").format(sql.Identifier(self.dbname))
        if self.template_dbname:
            statement += sql.SQL(" template {}").format(sql.Identifier(self.template_dbname))
        with self.cursor() as cursor:
            if cursor.connection.info.server_version >= _STRATEGY_SINCE:
                statement += sql.SQL(" strategy file_copy")
            try:
                cursor.execute(statement)
            except psycopg.errors.DiskFull as error:
                raise _no_room(self.server, self.dbname, error) from error
            if self.template_dbname:
                # For the server's own user alone: what it keeps of a database, row by row.
                names = {"template": self.template_dbname, "name": self.dbname}
                cursor.execute(read_query("copy_database.sql"), names)

    @contextmanager
    def cursor(self, dbname: str | None = None) -> Iterator[psycopg.Cursor]:
        """Give a cursor on the maintenance database, or fail at once."""
        if self.session is not None:
            with self.session.cursor() as cursor:
                yield cursor
            return
        with (
            connect(self.server, dbname or self.maintenance_dbname) as session,
            session.cursor() as cursor,
        ):
            yield cursor
