"""Other sessions that a file is made to wait for, and how it is seen to wait."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event
from time import monotonic

import psycopg
from psycopg import sql

from batchgate.locks import Held, Mode
from batchgate.reading import read_query
from batchgate.sessions import PATIENCE, Session

_LOOK_AGAIN = 0.003
_WAITS_FOR = "select %s = any (pg_catalog.pg_blocking_pids(%s))"
_WANTS = (
    "select l.relation::regclass::text from pg_catalog.pg_locks as l"
    " where l.pid = %s and l.locktype = 'relation' and not l.granted"
)
_STANDS = "select from pg_catalog.pg_stat_activity where pid = %s"

Connection = psycopg.Connection
Act = Callable[[], None]
# Looks on until it has acted, or the event says that there is nothing more to see.
Look = Callable[[Event], bool]


def stand_in_the_way(rival: Connection, held: Held) -> bool:
    """Take the weakest lock that keeps another session from taking its own; tell whether it could.

    It cannot where the other's own transaction holds a lock in its way already.
    """
    rival.execute("begin")
    mode = held.mode.weakest_conflicting()
    statement = _lock_statement(_identifier(rival, held.relation), mode, nowait=True)
    try:
        rival.execute(statement)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.WrongObjectType):
        return False
    return True


def lock_all(rival: Connection, mode: Mode) -> None:
    """Lock every table there is."""
    for row in rival.execute(read_query("user_tables.sql")).fetchall():
        rival.execute(_lock_statement(sql.Identifier(*row), mode))


@contextmanager
def watching(look: Look) -> Iterator[Future[bool]]:
    """Look on from another thread for as long as a statement runs; tell whether it acted."""
    done = Event()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="watch") as pool:
        seen = pool.submit(look, done)
        try:
            yield seen
        finally:
            done.set()


class Watch:
    """Watches one session over another that only looks."""

    def __init__(self, observer: Connection, pid: int) -> None:
        self._observer = observer
        self._pid = pid

    def once_blocked(self, rival: Connection, act: Act, patience: float = 0.0) -> Look:
        """Act once the session has been waiting for a rival for as long as the patience lasts."""

        def look(done: Event) -> bool:
            if not self._until(done, lambda: self._waits_for(rival, self._pid)):
                return False
            since = monotonic()
            if not self._until(done, lambda: monotonic() - since >= patience):
                return False
            act()
            return True

        return look

    def once_relayed(self, rival: Connection, connect: Callable[[], Connection], act: Act) -> Look:
        """Act once a statement asks again for the table that it took in its first transaction.

        A second rival stands in the queue behind that transaction, and before the next one.
        """

        def look(done: Event) -> bool:
            if not self._until(done, lambda: self._waits_for(rival, self._pid)):
                return False
            with closing(Session("rival", connect(), lambda: self._observer)) as second:
                second.run("begin")
                statement = _lock_statement(self._wanted(), Mode.SHARE_ROW_EXCLUSIVE)
                second.start(statement.as_string(second.connection))
                queued = second.connection.info.backend_pid
                self._until(done, lambda: self._waits_for(rival, queued))
                rival.execute("rollback")
                if not self._until(done, lambda: self._waits_for(second.connection, self._pid)):
                    return False
                act()
                done.wait(PATIENCE)
                return True

        return look

    def await_end(self) -> None:
        """Wait until a session that was ended is gone, and its locks with it."""
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline and self._observer.execute(_STANDS, (self._pid,)).rowcount:
            continue

    def _until(self, done: Event, seen: Callable[[], bool]) -> bool:
        while not done.wait(_LOOK_AGAIN):
            if seen():
                return True
        return False

    def _waits_for(self, other: Connection, pid: int) -> bool:
        row = self._observer.execute(_WAITS_FOR, (other.info.backend_pid, pid)).fetchone()
        return bool(row and row[0])

    def _wanted(self) -> sql.Identifier:
        """Name the table that the session waits for."""
        row = self._observer.execute(_WANTS, (self._pid,)).fetchone()
        assert row is not None, "it was seen waiting"
        return _identifier(self._observer, row[0])


def _lock_statement(table: sql.Identifier, mode: Mode, *, nowait: bool = False) -> sql.Composed:
    words = sql.SQL(mode.statement), sql.SQL(" nowait" if nowait else "")
    return sql.SQL("lock table only {} in {} mode{}").format(table, *words)


def _identifier(session: Connection, name: str) -> sql.Identifier:
    """Take apart a qualified name that the server wrote."""
    row = session.execute("select pg_catalog.parse_ident(%s)", (name,)).fetchone()
    assert row is not None, "a function gives a row"
    return sql.Identifier(*row[0])
