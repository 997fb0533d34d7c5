"""How a statement is made to fail: for real, at the server, and seen to have happened."""

from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

from batchgate.heights import Heights
from batchgate.locks import Held, Mode
from batchgate.rehearsal.failures.record import Sent
from batchgate.rehearsal.failures.rivals import Look, Watch, lock_all, stand_in_the_way, watching
from batchgate.rehearsal.failures.sendings import Go, Sending, aside, send_file
from batchgate.script import Script, ScriptRun

_SET = "set lock_timeout = '10ms'"
_SET_LOCAL = "set local lock_timeout = '10ms'"
# Longer than any wait that a file may reasonably choose for itself within one attempt.
LONGEST_WAIT = 1.0  # seconds

_FAILING = "select 1 operator(pg_catalog./) 0"

Connection = psycopg.Connection


class Way(StrEnum):
    """What befalls a statement, in the words of a message."""

    ERROR = "the failure of {}"
    KILL = "the end of the session before {}"
    TIMEOUT = "a lock timeout in {}"
    KILL_WAITING = "the end of the session while {} waits for a lock"
    CANCEL_INSIDE = "an interruption halfway through {}"
    KILL_INSIDE = "the end of the session halfway through {}"


HALFWAY = (Way.CANCEL_INSIDE, Way.KILL_INSIDE)


class Rival(StrEnum):
    """Whom a statement that commits inside is made to wait for."""

    WRITER = "a session that has written"
    READER = "a session with an older snapshot"
    RELAY = "a session that takes the table after its first transaction"


@dataclass(frozen=True)
class Fault:
    """One thing that happens to one statement; `held` is the lock that is taken from it.

    Without `stop` the file goes on after the error, as psql does unless ON_ERROR_STOP is set.
    """

    sent: Sent
    way: Way
    stop: bool = True
    held: Held | None = None
    rival: Rival = Rival.WRITER

    @property
    def place(self) -> tuple[object, ...]:
        """Tell apart what may leave different states: what stops a file in one stage is alike."""
        if self.stop and self.way not in HALFWAY:
            return ("stage", self.sent.stage)
        return self.sent.sending.index, self.stop, self.rival

    @property
    def words(self) -> str:
        """Say what happens to which statement."""
        words = self.way.format(self.sent.sending.shown)
        return words if self.stop else f"{words} under psql without ON_ERROR_STOP"


class Scene(NamedTuple):
    """A clone, and a session that only looks."""

    heights: Heights
    database: str
    observer: Connection

    def connect(self) -> Connection:
        """Open another session."""
        return self.heights.connect(self.database)


class Blow(NamedTuple):
    """How a file ended that a fault befell.

    `struck` is false where the statement was not reached, or could not be made to wait;
    `waited_on`, where it went on waiting in spite of its lock timeout; `kept` are the places of
    what was committed.
    """

    run: ScriptRun
    struck: bool
    waited_on: bool
    kept: tuple[str, ...]


def strike(scene: Scene, script: Script, fault: Fault, within: Connection | None = None) -> Blow:
    """Run a file in a session of its own, or in a used one made as new; let the fault befall it."""
    with nullcontext(within) if within else scene.connect() as session:
        striker = _Striker(scene, session, fault)
        run = send_file(session, script, striker, stop=fault.stop)
        if within:
            aside(within).execute("discard all")
    if striker.killed:
        striker.watch.await_end()
    return Blow(run, striker.struck, striker.waited_on, tuple(dict.fromkeys(striker.kept)))


class _Striker:
    """Sends each text on but one, and to that one does what the fault says."""

    def __init__(self, scene: Scene, session: Connection, fault: Fault) -> None:
        self.scene, self.session, self.fault = scene, session, fault
        self.pid = session.info.backend_pid
        self.watch = Watch(scene.observer, self.pid)
        self.struck = self.waited_on = self.killed = False
        self.kept: list[str] = []

    def __call__(self, sending: Sending, go: Go) -> None:
        before = self._status
        if sending.index == self.fault.sent.sending.index:
            self._strike(sending, go)
        else:
            go(sending.text)
        ended = self._status is TransactionStatus.IDLE and not sending.gives_up
        if ended and before is not TransactionStatus.INERROR and sending.verb != "set":
            self.kept.append(sending.at)

    @property
    def _status(self) -> TransactionStatus:
        return self.session.info.transaction_status

    def _strike(self, sending: Sending, go: Go) -> None:
        way = self.fault.way
        self.struck = sending.at == self.fault.sent.sending.at
        if way is Way.ERROR or not self.struck:
            go(self._failing(sending))
        elif way is Way.KILL:
            self._end()
            go(sending.text)
        elif way in (Way.TIMEOUT, Way.KILL_WAITING):
            self._hold_up(sending, go)
        else:
            self._interrupt(sending, go)

    def _failing(self, sending: Sending) -> str:
        """Return what fails in a text's place; a COMMIT that fails has ended its transaction."""
        ends = sending.commits and self._status is TransactionStatus.INTRANS
        return f"rollback; {_FAILING}" if ends else _FAILING

    def _hold_up(self, sending: Sending, go: Go) -> None:
        """Take a lock before the statement does, and see it give up, or end it while it waits."""
        fault = self.fault
        assert fault.held is not None, "a lock is taken from who takes it"
        with self.scene.connect() as rival:
            self.struck = stand_in_the_way(rival, fault.held)
            if not self.struck:
                go(self._failing(sending))
                return
            patience = 0.0
            if fault.way is Way.TIMEOUT:
                patience = LONGEST_WAIT
                local = self._status is TransactionStatus.INTRANS
                aside(self.session).execute(_SET_LOCAL if local else _SET)
            self._send_watched(self.watch.once_blocked(rival, self._end, patience), sending, go)

    def _interrupt(self, sending: Sending, go: Go) -> None:
        """Let a statement that commits inside wait halfway, and stop it there."""
        act = self._end if self.fault.way is Way.KILL_INSIDE else self._cancel
        with self.scene.connect() as rival:
            rival.execute("begin isolation level repeatable read")
            rival.execute("select pg_catalog.pg_current_snapshot()")
            look = self.watch.once_blocked(rival, act)
            if self.fault.rival is Rival.WRITER:
                rival.execute("select pg_catalog.pg_current_xact_id()")
                lock_all(rival, Mode.ROW_EXCLUSIVE)
            elif self.fault.rival is Rival.RELAY:
                lock_all(rival, Mode.SHARE_ROW_EXCLUSIVE)
                look = self.watch.once_relayed(rival, self.scene.connect, act)
            self._send_watched(look, sending, go)

    def _send_watched(self, look: Look, sending: Sending, go: Go) -> None:
        """Send a text while another thread looks on, and keep whether that one acted."""
        with ExitStack() as ended:
            seen = ended.enter_context(watching(look))
            try:
                go(sending.text)
            finally:
                ended.close()
                acted = seen.result()
                self.waited_on = acted and self.fault.way is Way.TIMEOUT
                self.struck = acted or self.fault.way is Way.TIMEOUT

    def _end(self) -> None:
        self.killed = True
        self.scene.observer.execute("select pg_catalog.pg_terminate_backend(%s)", (self.pid,))

    def _cancel(self) -> None:
        self.scene.observer.execute("select pg_catalog.pg_cancel_backend(%s)", (self.pid,))
