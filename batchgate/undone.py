"""Clones that are kept: a session each, in a transaction that is undone after every test."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from batchgate.heights import Heights
from batchgate.reading import read_query
from batchgate.sessions import Attempt, Connection, Session
from batchgate.suite import Batch

# Whatever ends our transaction takes this savepoint along: then what was done may stand.
_BEGIN = b"begin; savepoint batchgate_undone"
_UNDO = b"rollback to savepoint batchgate_undone; rollback"


class Undone(Session):
    """A session alone in its database and within a transaction, which survives refusals."""

    def start(self, statement: str, parameters: Sequence[object] | None = None) -> Attempt:
        """Run a statement to its end: nobody is there for whom it could wait."""
        ended: Future[list[tuple[Any, ...]]] = Future()
        try:
            ended.set_result(self.run(statement, parameters))
        except psycopg.Error as error:
            ended.set_exception(error)
        return Attempt(self, statement, ended, lambda: self.connection)

    def is_refused(
        self,
        statement: str,
        sqlstate: str,
        *,
        by: str = "",
        parameters: Sequence[object] | None = None,
    ) -> None:
        """Expect a statement to fail with this SQLSTATE; what was done before it stands."""
        with self.connection.transaction(force_rollback=True):
            super().is_refused(statement, sqlstate, by=by, parameters=parameters)


class Shelf:
    """Keeps a clone for each height in use; one that cannot be undone is dropped."""

    def __init__(self, heights: Heights) -> None:
        self._heights = heights
        self._kept: dict[tuple[str, bool], _Clone] = {}

    @contextmanager
    def lent(self, batch: Batch | None, *, sample: bool) -> Iterator[Undone]:
        """Lend a session at a height, and undo what was done by it."""
        name = (batch.name if batch else "", sample)
        clone = self._kept.pop(name, None) or self._make(batch, sample)
        try:
            yield clone.begin()
        finally:
            if name not in self._kept and clone.undo():
                self._kept[name] = clone
            else:
                clone.drop()

    def close(self) -> None:
        """Drop all clones."""
        while self._kept:
            self._kept.popitem()[1].drop()

    def _make(self, batch: Batch | None, sample: bool) -> "_Clone":
        with ExitStack() as stack:
            name = stack.enter_context(self._heights.clone(batch, sample=sample))
            connection = stack.enter_context(self._heights.connect(name))
            # Or a statement would be planned otherwise for what earlier tests have run.
            connection.prepare_threshold = None
            return _Clone(connection, stack.pop_all())


class _Clone:
    """A clone with its only session, and where its sequences stand."""

    def __init__(self, connection: Connection, stack: ExitStack) -> None:
        self._connection = connection
        self._stack = stack
        self._resets = [_reset(connection, *name) for name in _sequences(connection)]

    def begin(self) -> Undone:
        """Begin a transaction and give the session that is in it."""
        self._connection.execute(_BEGIN)
        return Undone("undone", self._connection, lambda: self._connection)

    def undo(self) -> bool:
        """Undo the transaction and what outlives one; tell whether nothing else was done."""
        try:
            self._connection.execute(_UNDO)
            self._connection.execute("discard all")
            for reset in self._resets:
                self._connection.execute(reset)
        except psycopg.Error:
            return False
        return True

    def drop(self) -> None:
        """End the session and drop the clone."""
        self._stack.close()


def _sequences(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute(read_query("sequences.sql")).fetchall()


def _reset(connection: Connection, schema: str, name: str) -> sql.Composed:
    """Return what sets a sequence back, which no rollback does."""
    sequence = sql.Identifier(schema, name)
    found = connection.execute(sql.SQL("select last_value, is_called from {}").format(sequence))
    place = sequence.as_string(connection)
    values = (sql.Literal(value) for value in (place, *next(found)))
    return sql.SQL("select pg_catalog.setval({}::regclass, {}, {})").format(*values)
