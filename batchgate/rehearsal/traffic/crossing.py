"""A batch and the sessions that meet it in one database: who waits, on whom, and for what."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import psycopg

from batchgate.heights import Heights
from batchgate.locks import Mode
from batchgate.psqloutput import Step
from batchgate.reading import read_query
from batchgate.rehearsal.traffic.actors import Actor
from batchgate.suite import Batch

PATIENCE = 15.0  # seconds in which a wait has to end, be it by a time limit of the file's own
_SHORT = 0.002  # most statements end in this time: then the server is not asked
_LOOK_AGAIN, _AT_LAST = 0.005, 0.05

# What a session waits for is read after whom it waits for, and may not stand there yet.
_UNSEEN = "a lock"


@dataclass
class Waiting:
    """One wait, from where the batch was at its first sight to where it was at its end."""

    who: Actor
    on: tuple[Actor, ...]
    awaited: str
    for_rows: bool
    since: Step | None
    started: float
    until: Step | None = None
    seconds: float | None = None

    @property
    def on_whom(self) -> str:
        """Return the names of those who were in the way."""
        return " and ".join(sorted({one.name for one in self.on}))

    @property
    def over(self) -> bool:
        """Tell whether it came to an end."""
        return self.seconds is not None

    def is_for_rows(self, of: Collection[Actor]) -> bool:
        """Tell whether it waited for what one of these had written, not for a table's lock."""
        return self.for_rows and not set(of).isdisjoint(self.on)


class Crossing:
    """The sessions in one database, and one more that only looks.

    `step` is where the batch is; who moves the batch says so.
    """

    def __init__(self, heights: Heights, database: str) -> None:
        self._heights = heights
        self._database = database
        self._observer = self.connect()
        self._open: dict[Actor, Waiting] = {}
        self.actors: list[Actor] = []
        self.waits: list[Waiting] = []
        self.step: Step | None = None

    def actor(self, name: str, *, bounded: bool = True) -> Actor:
        """Open a session of that name."""
        actor = Actor(name, self.connect, bounded=bounded)
        self.actors.append(actor)
        return actor

    def connect(self) -> psycopg.Connection:
        """Connect to the database as its owner."""
        return self._heights.connect(self._database)

    @property
    def observer(self) -> psycopg.Connection:
        """Return the session that only looks, a new one where a batch ended it with all others."""
        self._ask(b"select 1", [])
        return self._observer

    def settle(self, actor: Actor | None = None) -> list[Actor]:
        """Wait until all who move, or this one, have ended or wait on one that does not move.

        Returns those of whom neither came true in time. Where sessions wait for each other
        alone, the server's search for deadlocks or a time limit of theirs has to end it.
        """
        deadline = monotonic() + PATIENCE
        pause, until, known = _SHORT, ALL_COMPLETED, set(self._open)
        while True:
            fresh = [one.move for one in self._moving(actor) if one.move and one not in known]
            wait(fresh, timeout=pause, return_when=until)
            moving = self._moving(actor)
            stuck = self._look() if moving else self._forget_ended()
            late = [one for one in moving if one.moving and one not in stuck]
            if not late or monotonic() > deadline:
                return late
            if not all(one.bounded for one in late if one not in self._open):
                deadline = monotonic() + PATIENCE
            pause = min(max(_LOOK_AGAIN, 1.2 * pause), _AT_LAST)
            until, known = FIRST_COMPLETED, set()

    def is_stuck(self, actor: Actor) -> bool:
        """Tell whether a session waits, at last, on one that does not move."""
        return actor in self._look()

    def outlast(self, actor: Actor) -> bool:
        """Wait for the end of a move that waits on one that does not move: it may have a limit."""
        if actor.move:
            wait([actor.move], timeout=PATIENCE)
        self._forget_ended()
        return not actor.moving

    def close(self) -> None:
        """End all sessions, those that move first: no one else would end what they wait for."""
        with ExitStack() as ending:
            ending.callback(lambda: self._observer.close())
            for actor in self.actors:
                ending.callback(actor.close)
            moving = [actor.pid for actor in self.actors if actor.move]
            self._ask(b"select pg_terminate_backend(p) from unnest(%s::int[]) as p", [moving])

    def _moving(self, actor: Actor | None) -> list[Actor]:
        return [one for one in ([actor] if actor else self.actors) if one.moving]

    def _look(self) -> set[Actor]:
        """Note who waits on whom; return those that wait, at last, on one that does not move."""
        by_pid = {one.pid: one for one in self.actors}
        waits: dict[Actor, tuple[Actor, ...]] = {}
        asked = [pid for pid, one in by_pid.items() if one.moving]
        given = {"pids": asked, "modes": [str(mode) for mode in Mode]}
        for pid, blockers, awaited, for_rows in self._ask(read_query("waits.sql"), given):
            one = by_pid[pid]
            on = tuple(by_pid[blocker] for blocker in blockers if blocker in by_pid)
            if on and one.moving:
                waits[one] = on
                if one not in self._open:
                    what = awaited or _UNSEEN
                    self._open[one] = Waiting(one, on, what, for_rows, self.step, monotonic())
                    self.waits.append(self._open[one])
                elif awaited and self._open[one].awaited == _UNSEEN:
                    self._open[one].awaited, self._open[one].for_rows = awaited, for_rows
        self._forget(one for one in list(self._open) if one not in waits)
        return _stuck(waits)

    def _ask(self, query: bytes, given: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        try:
            return self._observer.execute(query, given).fetchall()
        except psycopg.OperationalError:
            if not self._observer.closed:
                raise
            self._observer = self.connect()
            return self._observer.execute(query, given).fetchall()

    def _forget_ended(self) -> set[Actor]:
        self._forget(one for one in list(self._open) if not one.moving)
        return set()

    def _forget(self, actors: Iterator[Actor]) -> None:
        for one in actors:
            waiting = self._open.pop(one)
            waiting.until = self.step
            waiting.seconds = monotonic() - waiting.started


@contextmanager
def crossing_at(heights: Heights, batch: Batch | None) -> Iterator[Crossing]:
    """Give a crossing in a clone of a height; all of its sessions are ended afterwards."""
    with heights.clone(batch) as database:
        crossing = Crossing(heights, database)
        try:
            yield crossing
        finally:
            crossing.close()


def _stuck(waits: Mapping[Actor, Collection[Actor]]) -> set[Actor]:
    stuck: set[Actor] = set()
    while True:
        more = {
            one
            for one, on in waits.items()
            if one not in stuck and any(other in stuck or not other.moving for other in on)
        }
        if not more:
            return stuck
        stuck |= more
