"""Run a file statement by statement, and keep what each held and did."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from psycopg import sql

from batchgate.rehearsal.locks.tracer import Connection, Tracer, Work
from batchgate.rehearsal.locks.work import Ground, survey, tell_sessions
from batchgate.script import Script, ScriptRun, steps

# A plan reads a small table as a whole where it looks up one row of a large one; workers count
# what they read for themselves.
_PLANNING = {
    "enable_seqscan": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
}


@dataclass(frozen=True)
class Trace:
    """A file's run: what stood before, and each statement's work."""

    ground: Ground
    works: tuple[Work, ...]
    run: ScriptRun
    seconds: float

    @property
    def limit(self) -> "Limit":
        """Return what is enough for a run with several times the rows, and bounds it."""
        return Limit(
            max(5.0, 10 * self.seconds),
            max((work.part for work in self.works), default=0) * 10 + 100,
        )


class Limit(NamedTuple):
    """The seconds of one statement, and how many statements one query may make.

    A file that goes through all numbers from the lowest key to the highest has no end where
    keys lie far apart.
    """

    seconds: float = 0.0
    parts: int = sys.maxsize


def trace(
    observer: Connection,
    connect: Callable[[], Connection],
    script: Script,
    limit: Limit | None = None,
) -> Trace:
    """Run a file in a session of its own to its end or its first error."""
    limit = limit or Limit()
    ground = survey(observer)
    tell_sessions(observer, ground)
    _set_sessions(observer, {**_PLANNING, "statement_timeout": str(int(limit.seconds * 1000))})
    started = perf_counter()
    with connect() as session:
        tracer = Tracer(session, observer, connect, ground, limit.parts)
        session.cursor_factory = tracer.cursors()
        run = tracer.follow(steps(session, script))
    return Trace(ground, tuple(tracer.works), run, perf_counter() - started)


def _set_sessions(observer: Connection, settings: Mapping[str, str]) -> None:
    """Set the database's sessions to come; RESET ALL in a file does not undo this."""
    for name, value in settings.items():
        observer.execute(
            sql.SQL("alter database {} set {} = {}").format(
                sql.Identifier(observer.info.dbname), sql.Identifier(name), value
            )
        )
