"""Carry out a task: run its file, again where it did not get a lock, and tell what it leaves."""

from dataclasses import dataclass, replace
from enum import StrEnum
from random import uniform
from time import perf_counter
from typing import Any

import psycopg

from batchgate.batches import FileRun
from batchgate.config import Settings
from batchgate.errors import BatchFailed, BatchgateError
from batchgate.gates.presence import is_present
from batchgate.limits import seconds_of
from batchgate.operate.attempt import Attempt, Listener
from batchgate.operate.blockers import Blockers
from batchgate.operate.dry import tried_out
from batchgate.operate.entry import Entrance
from batchgate.operate.fate import Fate, fate_of, reached
from batchgate.operate.interruption import Interruption
from batchgate.operate.remedies import remedy_of
from batchgate.operate.task import CLIENT_CHECK, Route, Task, Way
from batchgate.script import Script, ScriptError, ScriptRun
from batchgate.serverwords import masked

_LOCK, _DEADLOCK = "55P03", "40P01"
# Seconds before the second attempt; each further pause is twice as long, up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_SET = "select pg_catalog.set_config(%s, %s, false)"


class Outcome(StrEnum):
    """How a task ended."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "connection lost"


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A task that was carried out, or how far it got; `stands` is None where nobody can say."""

    task: Task
    file: str
    outcome: Outcome
    seconds: float
    attempts: int
    statements: int
    begun: int
    committed: int
    left: str
    error: ScriptError | None = None
    remedy: str = ""
    fate: Fate | None = None
    blockers: tuple[str, ...] = ()
    stands: bool | None = None
    would_stand: bool | None = None

    def failure(self) -> BatchFailed:
        """Return the message of a file that ended in an error."""
        assert self.error is not None, "a file fails by an error"
        error, fix = self.error, self.remedy
        if error.raised and error.hint:
            error, fix = replace(error, hint=""), masked(error.hint, error.sqlstate)
        run = FileRun(self.task.batch, self.file, ScriptRun((), error, 3), self.seconds)
        said = run.failure(f"{self.task.path.stem} to succeed", fix).message
        return BatchFailed(
            said.headline,
            at=said.at,
            sql=said.sql,
            rows=self._waited(),
            cause=said.cause,
            left="\n".join([self.left, *self.standing()]),
            fix=said.fix,
        )

    def standing(self) -> list[str]:
        """Say whether the batch stands, where that is known and not a matter of course."""
        name = self.task.batch.name
        if self.stands is None or self.task.route is Route.VALIDATION:
            return []
        if self.stands and self.task.stood:
            return [f"{name} stands as before."]
        return [f"{name} {'stands' if self.stands else 'does not stand'} now."]

    def _waited(self) -> tuple[str, ...]:
        held = self.blockers if self.error and self.error.sqlstate == _LOCK else ()
        return tuple(f"held by {each}" for each in held)


def script_of(task: Task, settings: Settings, way: Way) -> Script:
    """Return a task's file as it is run; raises Refused where it cannot be tried out."""
    script = Script(task.path, settings.root)
    return tried_out(script) if way.dry and task.route is not Route.VALIDATION else script


class Carrier:
    """Carries out tasks on one session, in one way."""

    def __init__(
        self, entrance: Entrance, settings: Settings, way: Way, stop: Interruption
    ) -> None:
        self._entrance = entrance
        self._settings = settings
        self._way = way
        self._stop = stop

    def carry_out(self, task: Task, listener: Listener) -> Carried:
        """Run a task's file, as often as it may be for want of a lock."""
        # A server that does not answer is given up, whatever it was asked.
        with self._stop.aimed_at(self._entrance.connection, to_cancel=False):
            return self._carry_out(task, listener)

    def _carry_out(self, task: Task, listener: Listener) -> Carried:
        script = script_of(task, self._settings, self._way)
        started = perf_counter()
        for number in range(1, self._way.retries + 2):
            attempt, blockers = self._attempt(task, script, listener)
            if number > self._way.retries or not _may_be_repeated(task, attempt):
                break
            if self._paused(attempt, number, blockers, listener):
                attempt.interrupted = True
                break
        seconds = perf_counter() - started
        return self._carried(task, attempt, seconds, number, blockers)

    def _attempt(
        self, task: Task, script: Script, listener: Listener
    ) -> tuple[Attempt, tuple[str, ...]]:
        connection = self._entrance.connection
        dry = self._way.dry and task.route is not Route.VALIDATION
        attempt = Attempt(connection, script, listener, dry=dry, batch=task.batch)
        try:
            self._entrance.clean()
            for name, value in self._way.settings().items():
                _set(connection, name, value)
        except psycopg.Error:
            if not connection.broken:
                raise
            attempt.lost, attempt.interrupted = True, self._stop.requested
            return attempt, ()
        patience = seconds_of(self._way.lock_timeout)
        pid = connection.info.backend_pid
        with Blockers(self._entrance.target, pid, patience=patience) as blockers:
            attempt.go(self._stop)
        return attempt, blockers.seen

    def _paused(
        self, attempt: Attempt, number: int, blockers: tuple[str, ...], listener: Listener
    ) -> bool:
        """Wait before the next attempt; tell whether there is to be none."""
        assert attempt.error is not None, "an attempt without an error is not repeated"
        pause = min(_FIRST_PAUSE * 2 ** (number - 1), _LONGEST_PAUSE) * uniform(0.5, 1.5)
        deadlock = attempt.error.sqlstate == _DEADLOCK
        what = "a deadlock" if deadlock else f"no lock within {self._way.lock_timeout}"
        held = f" (held by {'; '.join(blockers)})" if blockers and not deadlock else ""
        listener.again(
            f"{what} at {attempt.error.at}{held}: rolled back,"
            f" attempt {number + 1} of {self._way.retries + 1} in {pause:.1f} s"
        )
        return self._stop.pause(pause)

    def _carried(
        self, task: Task, attempt: Attempt, seconds: float, number: int, blockers: tuple[str, ...]
    ) -> Carried:
        outcome = _outcome(attempt)
        fate = None
        if attempt.lost and attempt.xid:
            fate = fate_of(self._entrance.target, attempt.xid, self._stop)
            if fate is Fate.COMMITTED:
                attempt.committed, attempt.wrote = attempt.begun, True
        return Carried(
            task=task,
            file=self._settings.relative(task.path),
            outcome=outcome,
            seconds=seconds,
            attempts=number,
            statements=attempt.script.count,
            begun=attempt.begun,
            committed=attempt.committed,
            left="" if outcome is Outcome.DONE else left_by(task, attempt, fate, dry=self._way.dry),
            error=attempt.error,
            remedy=remedy_of(attempt.error, self._entrance.connection) if attempt.error else "",
            fate=fate,
            blockers=blockers,
            stands=self._stands(task),
            would_stand=attempt.would_stand,
        )

    def _stands(self, task: Task) -> bool | None:
        """Ask whether the batch stands now, by a new session where ours is lost."""
        if not task.batch.present or self._stop.given_up:
            return None
        try:
            if not self._entrance.connection.broken:
                self._entrance.clean()
                return is_present(self._entrance.connection, task.batch)
            with reached(self._entrance.target) as session:
                return is_present(session, task.batch)
        except (psycopg.Error, BatchgateError):
            return None


def _set(connection: psycopg.Connection[Any], name: str, value: str) -> None:
    try:
        connection.execute(_SET, [name, value])
    except psycopg.errors.InvalidParameterValue:
        # A server on Windows, and an older one elsewhere than on Linux, cannot look for its client.
        if name != CLIENT_CHECK:
            raise


def left_by(task: Task, attempt: Attempt, fate: Fate | None, *, dry: bool) -> str:
    """Say what a run that did not come to its end leaves."""
    if dry:
        return "Nothing was kept: it was a dry run."
    if fate is Fate.UNKNOWN:
        return (
            "Whether its commit went through is not known, for the server was not reached again."
            f" Ask it: select pg_xact_status('{attempt.xid}')."
        )
    if task.route is Route.VALIDATION:
        return "A validation keeps nothing."
    if not attempt.wrote and not attempt.loose:
        undone = (
            "the server rolls back what was done" if attempt.lost else "what was done is undone"
        )
        return f"Nothing was changed: {undone}."
    kept = _kept(attempt)
    resumed = " The same command goes on from there." if task.route is Route.ONLINE else ""
    return f"{kept}{resumed}"


def _kept(attempt: Attempt) -> str:
    of = attempt.script.count
    kept = f"All up to statement {attempt.committed} of {of} is committed" if attempt.wrote else ""
    if attempt.loose:
        own = f"what statement {attempt.begun} committed itself before it ended stays"
        return f"{kept}; {own}." if kept else f"{own[0].upper()}{own[1:]}."
    return f"{kept}." if attempt.begun <= attempt.committed else f"{kept}, the rest rolled back."


def _outcome(attempt: Attempt) -> Outcome:
    if attempt.lost and not attempt.interrupted:
        return Outcome.LOST
    if attempt.interrupted:
        return Outcome.INTERRUPTED
    return Outcome.FAILED if attempt.error else Outcome.DONE


def _may_be_repeated(task: Task, attempt: Attempt) -> bool:
    """Tell whether a file that did not get a lock has left nothing, or is made to go on."""
    if attempt.lost or attempt.interrupted or attempt.error is None:
        return False
    clean = task.route is Route.ONLINE or not (attempt.wrote or attempt.loose)
    return clean and attempt.error.sqlstate in (_LOCK, _DEADLOCK)
