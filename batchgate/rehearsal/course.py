"""Files run one after another, each in a session of its own: what each statement changed."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from batchgate.batches import run_file
from batchgate.heights import Heights
from batchgate.script import Script, steps
from batchgate.sqltext import Statement
from batchgate.suite import Batch

Seen = TypeVar("Seen")
Look = Callable[[psycopg.Connection], Seen]

# A look is a query, after which a transaction no longer takes an isolation level.
_CHANGE_NOTHING = frozenset(
    {"begin", "lock", "release", "reset", "savepoint", "set", "show", "start"}
)


class Leg(NamedTuple):
    """One file that is run to its end or its first error."""

    batch: Batch
    path: Path


@dataclass(frozen=True)
class Course:
    """Legs from a height on, whose end is compared with what stood once `since` were gone."""

    start: Batch | None
    legs: tuple[Leg, ...]
    since: int = 0


class Change(NamedTuple, Generic[Seen]):
    """What one statement changed: the sights before and after it."""

    leg: int
    at: str
    before: Seen
    after: Seen


def leg(batch: Batch, name: str) -> Leg:
    """Return the running of one of a batch's files."""
    return Leg(batch, batch.folder / name)


def retrace(
    heights: Heights, course: Course, look: Look[Seen], wanted: Collection[int] | None = None
) -> list[Change[Seen]]:
    """Go a course again, with a look after every statement of the wanted legs, else of all."""
    changes: list[Change[Seen]] = []
    wanted = range(len(course.legs)) if wanted is None else wanted
    if not wanted:
        return changes
    with heights.clone(course.start) as database:
        for number, one in enumerate(course.legs[: max(wanted, default=-1) + 1]):
            with heights.connect(database) as session:
                if number not in wanted:
                    run_file(session, heights.settings, one.batch, one.path)
                    continue
                # What is prepared for the looks would not outlive the file's DISCARD ALL.
                session.prepare_threshold = None
                script = Script(one.path, heights.settings.root)
                found = stepwise(session, script, look)
                changes += [Change(number, at, *sights) for at, *sights in found]
    return changes


def stepwise(
    session: psycopg.Connection, script: Script, look: Look[Seen]
) -> Iterator[tuple[str, Seen, Seen]]:
    """Run a file; yield the place of each statement that changed what is seen."""
    seen, at = _look(session, look), script.at(1)
    for step in steps(session, script):
        if not step.ran or _changes_nothing(step.statement):
            continue
        at = step.at
        if session.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            now = _look(session, look)
            if now != seen:
                yield at, seen, now
                seen = now
    if not session.closed:
        # What was not committed is gone with the file's end.
        now = _look(session, look)
        if now != seen:
            yield at, seen, now


def _look(session: psycopg.Connection, look: Look[Seen]) -> Seen:
    """Look through a file's own session as its owner, whatever the file set for itself."""
    with session.transaction(force_rollback=True):
        session.execute("set local session authorization default")
        session.execute("set local role none")
        session.execute("set local statement_timeout = 0")
        return look(session)


def _changes_nothing(statement: Statement) -> bool:
    return statement.text.partition(" ")[0].strip().lower() in _CHANGE_NOTHING
