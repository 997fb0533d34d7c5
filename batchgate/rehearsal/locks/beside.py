"""Watch a statement from beside while it runs, where it cannot be held in a transaction.

Two sessions take turns at keeping the tables in use, so the statement waits for them wherever
it takes a lock that others wait for, or waits for writers by itself: there it is looked at.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.locks import Held, Mode, held_by
from batchgate.reading import read_query

T = TypeVar("T")
Connection = psycopg.Connection[Any]

PATIENCE = 5.0  # seconds that tables are kept for a statement that never asks for them
_LOOK_AGAIN = 0.002


class Sight(NamedTuple):
    """What was seen of a statement: the locks it held or waited for, and how far it was.

    It is `lost` where it went on by itself, so that later locks may not have been seen.
    """

    held: frozenset[Held] = frozenset()
    phases: tuple[str, ...] = ()
    lost: bool = False

    def __or__(self, other: "Sight") -> "Sight":
        """Return what was seen here or there."""
        phases = tuple(dict.fromkeys(self.phases + other.phases))
        return Sight(self.held | other.held, phases)


def watch_beside(
    session: Connection,
    observer: Connection,
    connect: Callable[[], Connection],
    among: list[int],
    run: Callable[[], T],
) -> tuple[T, Sight]:
    """Run a statement over a session and return with its result what was seen of it."""
    with (
        connect() as one,
        connect() as other,
        _patient(session),
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside") as worker,
    ):
        tables = _tables(observer, among)
        _keep(one, tables)
        watching = _Watching(session.info.backend_pid, observer, among, worker.submit(run))
        try:
            seen = watching.until_it_ends(one, other, tables)
        finally:
            one.rollback()
            other.rollback()
        return watching.future.result(), seen


class _Watching(NamedTuple):
    """A statement under way."""

    pid: int
    observer: Connection
    among: list[int]
    future: Future[Any]

    def until_it_ends(
        self, keeper: Connection, other: Connection, tables: dict[str, sql.Identifier]
    ) -> Sight:
        """Look wherever it waits, then keep only the tables that it did not come for yet."""
        seen = Sight()
        while self._waits_on(keeper):
            sight = self._look(keeper)
            seen |= sight
            came_for = {each.relation for each in sight.held if _is_of_interest(each)}
            left = {name: table for name, table in tables.items() if name not in came_for}
            if len(left) == len(tables) or not _keep(other, left):
                break
            keeper.rollback()
            keeper, other, tables = other, keeper, left
        lost = not self.future.done()
        keeper.rollback()
        return seen._replace(lost=lost)

    def _waits_on(self, keeper: Connection) -> bool:
        """Wait until the statement waits for the keeper; no, where it ends first."""
        deadline = monotonic() + PATIENCE
        while not wait([self.future], timeout=_LOOK_AGAIN).done and monotonic() < deadline:
            blocked, _ = self._ask(keeper)
            if blocked:
                return True
        return False

    def _look(self, keeper: Connection) -> Sight:
        _, phase = self._ask(keeper)
        held = held_by(self.observer, self.pid, self.among)
        return Sight(held, (phase,) if phase else ())

    def _ask(self, keeper: Connection) -> tuple[bool, str]:
        asked = {"by": keeper.info.backend_pid, "pid": self.pid}
        with self.observer.cursor(row_factory=tuple_row) as cursor:
            row = cursor.execute(read_query("blocked.sql"), asked).fetchone()
        assert row is not None, "an aggregate of nothing is a row, too"
        return row[0], row[1]


def _is_of_interest(held: Held) -> bool:
    return held.mode.strength >= Mode.SHARE_UPDATE_EXCLUSIVE.strength


def _keep(session: Connection, tables: dict[str, sql.Identifier]) -> bool:
    """Keep tables in use as a writer does; no, where another session holds one of them."""
    if not tables:
        return True
    names = sql.SQL(", ").join(sql.SQL("only {}").format(table) for table in tables.values())
    session.execute("begin")
    try:
        session.execute(sql.SQL("lock table {} in row exclusive mode nowait").format(names))
    except psycopg.errors.LockNotAvailable:
        session.rollback()
        return False
    return True


def _tables(observer: Connection, among: list[int]) -> dict[str, sql.Identifier]:
    with observer.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(read_query("tables_by_oid.sql"), {"among": among}).fetchall()
    return {shown: sql.Identifier(schema, name) for schema, name, shown in rows}


@contextmanager
def _patient(session: Connection) -> Iterator[None]:
    """Let a session wait for us whatever its file says; what a file set stands again after."""
    with psycopg.Cursor(session, row_factory=tuple_row) as cursor:
        was = cursor.execute("show lock_timeout").fetchone()
        cursor.execute("set lock_timeout = 0")
        try:
            yield
        finally:
            if not session.closed:
                cursor.execute(_SET, was)


_SET = "select pg_catalog.set_config('lock_timeout', %s, false)"
