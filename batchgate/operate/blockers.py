"""Who is in the way of a run that waits for a lock: seen by a second session, while it waits."""

from contextlib import suppress
from threading import Event, Thread
from typing import Any, Self

import psycopg

from batchgate.errors import ServerUnavailable
from batchgate.reading import read_query
from batchgate.signs import spelled_out
from batchgate.targets.address import Target, connect

# Seconds: a wait that is over sooner is not looked into, unless a lock timeout ends it sooner.
_FIRST = 0.4
_AGAIN = 0.25
_SOONEST = 0.05
_PATIENCE = 1.0


class Blockers:
    """Looks on from the beginning of its `with` to the end; `seen` are the last that were.

    `patience` is how many seconds a lock is waited for, 0 for ever: it is looked several times
    within them.
    """

    def __init__(self, target: Target, pid: int, *, patience: float = 0) -> None:
        self._target, self._pid = target, pid
        often = max(patience / 4, _SOONEST) if patience else _FIRST
        self._first, self._again = min(often, _FIRST), min(often, _AGAIN)
        self._over = Event()
        self._thread = Thread(target=self._look, name="blockers", daemon=True)
        self.seen: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(_PATIENCE)

    def _look(self) -> None:
        # Where no session or no answer comes, it is not known who it was.
        with suppress(psycopg.Error, ServerUnavailable):
            if self._over.wait(self._first):
                return
            with connect(self._target, application_name="batchgate onlooker") as session:
                session.execute("set statement_timeout = '1s'")
                self._ask(session)
                while not self._over.wait(self._again):
                    self._ask(session)

    def _ask(self, session: psycopg.Connection[Any]) -> None:
        found = session.execute(read_query("blockers.sql"), {"pid": self._pid}).fetchall()
        if found:
            self.seen = tuple(_described(*row) for row in found)


def _described(pid: int, name: str | None, state: str | None, seconds: float | None) -> str:
    if not pid:
        age = "" if seconds is None else f", {seconds:.0f} s old"
        named = f"a prepared transaction, {spelled_out(name or 'which nobody tells')}"
        return f"{named}{age}, until commit prepared or rollback prepared ends it"
    named = f"pid {pid}, {spelled_out(name or 'no name')}"
    since = "" if seconds is None else f", in a transaction for {seconds:.0f} s"
    return f"{named}, {state}{since}" if state else named
