"""Named concurrent sessions, whose waits are observed and never slept."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Any

import psycopg

from batchgate.errors import BatchgateError, SessionTimeout
from batchgate.verdict import counted

PATIENCE = 10.0  # seconds that something expected may take to be observed
_LOOK_AGAIN = 0.005

Connection = psycopg.Connection
_Rows = list[tuple[Any, ...]]


class Session:
    """One named connection; `run` waits for the answer, `start` does not."""

    def __init__(
        self, name: str, connection: Connection, observer: Callable[[], Connection]
    ) -> None:
        self.name = name
        self.connection = connection
        self._observer = observer
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def run(self, statement: str, parameters: Sequence[object] | None = None) -> _Rows:
        """Run a statement and return its rows, none where it has none."""
        cursor = self.connection.execute(statement.encode(), parameters)
        return [] if cursor.description is None else cursor.fetchall()

    def value(self, statement: str, parameters: Sequence[object] | None = None) -> Any:
        """Return the first cell of a statement's only row."""
        rows = self.run(statement, parameters)
        if len(rows) != 1 or not rows[0]:
            found = "a row without columns" if len(rows) == 1 else counted(len(rows), "row")
            raise BatchgateError(
                f"session {self.name}: expected one row with a cell, found {found}",
                sql=_first_line(statement),
            )
        return rows[0][0]

    def start(self, statement: str, parameters: Sequence[object] | None = None) -> "Attempt":
        """Send a statement without waiting for its answer."""
        future = self._worker.submit(self.run, statement, parameters)
        return Attempt(self, statement, future, self._observer)

    def is_refused(
        self,
        statement: str,
        sqlstate: str,
        *,
        by: str = "",
        parameters: Sequence[object] | None = None,
    ) -> None:
        """Expect a statement to fail with this SQLSTATE, by this constraint or column."""
        self.start(statement, parameters).fails_with(sqlstate, by=by)

    def close(self) -> None:
        """Cancel what still runs, end the session and its thread."""
        self.connection.cancel_safe()
        self._worker.shutdown(wait=True)
        self.connection.close()


class Attempt:
    """A statement on its way; says whether it waits, succeeds or fails."""

    def __init__(
        self,
        session: Session,
        statement: str,
        future: Future[_Rows],
        observer: Callable[[], Connection],
    ) -> None:
        self._session = session
        self._statement = statement
        self._future = future
        self._observer = observer

    def waits_on(self, other: Session) -> None:
        """Observe that the server makes this attempt wait for `other`."""
        mine = self._session.connection.info.backend_pid
        theirs = other.connection.info.backend_pid
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            blocked = (
                self._observer()
                .execute("select %s = any(pg_blocking_pids(%s))", [theirs, mine])
                .fetchone()
            )
            if blocked and blocked[0]:
                return
            if wait([self._future], timeout=_LOOK_AGAIN).done:
                break
        found = f"it ended: {self._end()}" if self._future.done() else "it still runs, unblocked"
        raise SessionTimeout(
            f"session {self._session.name}: expected to wait on {other.name}, found that {found}",
            sql=_first_line(self._statement),
        )

    def succeeds(self) -> _Rows:
        """Wait for the attempt's rows; fail where it fails or does not end."""
        error = self._error()
        if error is not None:
            raise BatchgateError(
                f"session {self._session.name}: expected success, found {_said(error)}",
                sql=_first_line(self._statement),
            ) from error
        return self._future.result()

    def fails_with(self, sqlstate: str, *, by: str = "") -> None:
        """Wait for the attempt to fail with this SQLSTATE, by this constraint or column."""
        error = self._error()
        names = (error.diag.constraint_name, error.diag.column_name) if error else ()
        if error is None or error.sqlstate != sqlstate or (by and by not in names):
            wanted = f"[{sqlstate}]{f' by {by}' if by else ''}"
            found = _said(error) if error else "that it succeeded"
            raise BatchgateError(
                f"session {self._session.name}: expected to fail with {wanted}, found {found}",
                sql=_first_line(self._statement),
            ) from error

    def _error(self) -> psycopg.Error | None:
        if not wait([self._future], timeout=PATIENCE).done:
            raise SessionTimeout(
                f"session {self._session.name}: expected an answer within {PATIENCE:.0f} s, "
                "found none",
                sql=_first_line(self._statement),
            )
        error = self._future.exception()
        if error is not None and not isinstance(error, psycopg.Error):
            raise error
        return error

    def _end(self) -> str:
        error = self._error()
        return _said(error) if error else "it succeeded"


def _said(error: psycopg.Error) -> str:
    by = error.diag.constraint_name or error.diag.column_name
    return f"[{error.sqlstate}] {error.diag.message_primary}{f' by {by}' if by else ''}"


def _first_line(statement: str) -> str:
    return statement.strip().partition("\n")[0]
