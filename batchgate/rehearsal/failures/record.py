"""An undisturbed run of a file on record: what it sent, what that locked, where it committed."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import psycopg
from psycopg.errors import ActiveSqlTransaction, InvalidTransactionTermination
from psycopg.pq import TransactionStatus

from batchgate.locks import Held, Mode, held_by
from batchgate.rehearsal.failures.sendings import Go, Sending, aside, send_file
from batchgate.script import Script, ScriptRun
from batchgate.states import take_state

# These mean something else, or nothing, in a transaction that we open around them.
_AS_IT_IS = frozenset(
    {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"}
    | {"prepare", "lock", "declare", "fetch", "move", "set"}
)
_UPKEEP = ("analyze", "vacuum", "lock")
_STANDING = "select c.oid from pg_catalog.pg_class as c where c.relkind in ('r', 'p', 'v')"
_LOCKABLE = ("table", "partitioned table", "view")
_NO_BLOCK = "25001"
_COMMITS_INSIDE = "2D000"


@dataclass(frozen=True)
class Sent:
    """One text that was sent in an undisturbed run.

    `stage` counts the transactions before it that wrote and were committed; `taken` are the
    table locks that it took and its transaction did not hold already; `alone` is the SQLSTATE by
    which it refused to be part of a transaction.
    """

    sending: Sending
    inside: bool
    stage: int
    taken: tuple[Held, ...] = ()
    alone: str = ""
    wrote: bool = False

    @property
    def commits_inside(self) -> bool:
        """Tell a statement that is done in several transactions, so that it may stop halfway."""
        words = self.sending.text.lower()
        return self.alone == _COMMITS_INSIDE or (
            self.alone == _NO_BLOCK and "concurrently" in words
        )

    @property
    def stops_halfway(self) -> bool:
        """Tell whether it has something to do here, as a REINDEX has whose work does not show."""
        return self.commits_inside and (self.wrote or self.sending.verb == "reindex")

    @property
    def calls(self) -> bool:
        """Tell a procedure or a block that commits, from a command that does so by itself."""
        return self.alone == _COMMITS_INSIDE

    @property
    def means_to_write(self) -> bool:
        """Tell a text that asked for a lock that only who writes asks for."""
        return self.sending.verb not in _UPKEEP and any(
            held.mode.strength >= Mode.ROW_EXCLUSIVE.strength for held in self.taken
        )


class Record(NamedTuple):
    """All that a file sent, in its order, how it ended, and how long that took."""

    sent: tuple[Sent, ...]
    run: ScriptRun
    seconds: float = 0.0

    @property
    def stages(self) -> int:
        """How many transactions wrote and were committed."""
        return sum(one.wrote for one in self.sent)

    def writing_transactions(self) -> list[Sent]:
        """Return of each transaction that meant to write its first text that did."""
        found: list[Sent] = []
        open_one = False
        for one in self.sent:
            open_one = open_one and one.inside
            if (one.means_to_write or one.commits_inside) and not open_one:
                found.append(one)
                open_one = True
            if one.sending.commits or one.sending.gives_up:
                open_one = False
        return found


def record(session: psycopg.Connection, observer: psycopg.Connection, script: Script) -> Record:
    """Run a file to its end or its first error, and keep what it sent."""
    recorder, started = _Recorder(session, observer), perf_counter()
    run = send_file(session, script, recorder)
    return Record(tuple(recorder.sent), run, perf_counter() - started)


class _Recorder:
    """Sends each text on, and looks from outside at what it locked."""

    def __init__(self, session: psycopg.Connection, observer: psycopg.Connection) -> None:
        self.session = session
        self.observer = observer
        self.pid = session.info.backend_pid
        self.sent: list[Sent] = []
        self.stage = 0
        self.held: frozenset[Held] = frozenset()
        self.standing = [oid for (oid,) in observer.execute(_STANDING)]

    def __call__(self, sending: Sending, go: Go) -> None:
        status, at = self._status, len(self.sent)
        inside = status is TransactionStatus.INTRANS
        self.sent.append(Sent(sending, inside, self.stage))
        if status is TransactionStatus.IDLE and not (sending.copies or sending.verb in _AS_IT_IS):
            seen = self._send_wrapped(sending, go)
        else:
            seen = self._send(sending, go)
        self.sent[at] = Sent(sending, inside, self.stage, *seen)
        self.stage += self.sent[at].wrote

    @property
    def _status(self) -> TransactionStatus:
        return self.session.info.transaction_status

    def _send(self, sending: Sending, go: Go) -> tuple[tuple[Held, ...], str, bool]:
        inside = self._status is TransactionStatus.INTRANS
        wrote = inside and (not sending.commits or self._has_written())
        go(sending.text)
        taken = self._taken()
        ended = sending.commits or self._status is TransactionStatus.IDLE
        if ended:
            self.held = frozenset()
        if sending.copies and not inside:
            return taken, "", True
        return taken, "", wrote and ended and not sending.gives_up

    def _send_wrapped(self, sending: Sending, go: Go) -> tuple[tuple[Held, ...], str, bool]:
        """Send in a transaction, as long as is needed to see what was locked."""
        own = aside(self.session)
        own.execute("begin")
        try:
            go(sending.text)
        except (ActiveSqlTransaction, InvalidTransactionTermination) as refused:
            own.execute("rollback")
            before = take_state(self.observer)
            go(sending.text)
            return (), refused.sqlstate or "", before != take_state(self.observer)
        except psycopg.Error:
            if not self.session.closed:
                own.execute("rollback")
            raise
        taken, wrote = self._taken(), True
        if self._status is TransactionStatus.INTRANS:
            wrote = self._has_written() and sending.verb not in _UPKEEP
            own.execute("commit")
        self.held = frozenset()
        return taken, "", wrote

    def _taken(self) -> tuple[Held, ...]:
        """Return the locks that are held now and were not before."""
        if self._status not in (TransactionStatus.INTRANS, TransactionStatus.ACTIVE):
            return ()
        before, self.held = self.held, held_by(self.observer, self.pid, self.standing)
        return tuple(sorted(_lockable(self.held - before)))

    def _has_written(self) -> bool:
        """Tell whether the open transaction has a number, which only who writes gets."""
        asked = "select pg_catalog.pg_current_xact_id_if_assigned() is not null"
        row = aside(self.session).execute(asked).fetchone()
        return row is None or bool(row[0])


def _lockable(held: Iterable[Held]) -> Iterable[Held]:
    """Keep the strongest lock of each relation that another session could lock as well."""
    strongest: dict[str, Held] = {}
    for one in held:
        known = strongest.get(one.relation)
        if one.kind in _LOCKABLE and (not known or known.mode.strength < one.mode.strength):
            strongest[one.relation] = one
    return strongest.values()
