"""The application's sessions: each makes one turn after another, and its failures are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from batchgate.config import Settings
from batchgate.psqloutput import Step
from batchgate.psqlsend import send
from batchgate.rehearsal.traffic.crossing import Crossing, Waiting
from batchgate.serverwords import masked
from batchgate.sqltext import Statement, words, writing_word
from batchgate.suite import Traffic
from batchgate.trafficfiles import turn_of

_PREPARED = ("select", "insert", "update", "delete", "merge", "values", "with", "table")
_OPENING = ("begin", "start")
_CLOSING = ("commit", "end", "rollback", "abort")


@dataclass(frozen=True)
class Failure:
    """What the server refused a session, and where the batch was when it did.

    `number` is the statement's in its turn, `turns` how many had passed before, and `waiting`
    what the session had been waiting for until then, if it had.
    """

    who: "Caller"
    number: int
    turns: int
    sqlstate: str
    cause: str
    detail: str
    step: Step | None
    waiting: Waiting | None

    @property
    def at(self) -> str:
        """Return the place in the traffic's file."""
        return f"{self.who.shown}:{self.who.turn[self.number].line}"

    @property
    def code(self) -> str:
        """Return the SQLSTATE as headlines print it."""
        return self.sqlstate or "a lost connection"

    @property
    def passed_since(self) -> bool:
        """Tell whether the session has made a whole turn since."""
        return self.who.turns > self.turns


class Caller:
    """One session of the traffic in a crossing."""

    def __init__(self, crossing: Crossing, traffic: Traffic, settings: Settings) -> None:
        self.traffic = traffic
        self.shown = settings.relative(traffic.path)
        self.actor = crossing.actor(traffic.name)
        self.turn = turn_of(traffic, settings)
        self.place = 0
        self.turns = 0
        self._crossing = crossing
        self._open_after: set[int] = set()
        self._error: tuple[int, psycopg.Error] | None = None

    @property
    def stands(self) -> bool:
        """Tell whether the session stands in the midst of its turn, and nothing makes it wait."""
        return self.place > 0 and not self.actor.moving

    @property
    def in_transaction(self) -> bool:
        """Tell whether its transaction is open."""
        return self.actor.connection.info.transaction_status == TransactionStatus.INTRANS

    @property
    def holds(self) -> list[int]:
        """Return how far to go to stand in a transaction, with more to do than to end it.

        Known once the session made a turn.
        """
        points = [place + 1 for place in sorted(self._open_after) if _repeats(self.turn[place])]
        further = [point for point in points if _word(self.turn[point]) not in _CLOSING]
        return further or points[-1:]

    @property
    def only_reads(self) -> bool:
        """Tell whether a turn holds nothing but reading, as far as its words tell."""
        return all(
            not writing_word(statement.text)
            if _repeats(statement)
            else _word(statement) in _OPENING + _CLOSING
            for statement in self.turn
        )

    def go_on(self, to: int | None = None) -> None:
        """Begin what is left of the turn, up to a statement or to its end."""
        end = len(self.turn) if to is None else to
        self.actor.start(lambda: self._run(end))

    def failure(self) -> Failure | None:
        """Return what ended the last turn too early, once."""
        if self._error is None:
            return None
        (number, error), self._error = self._error, None
        sqlstate = error.sqlstate or ""
        said = error.diag.message_primary or str(error).strip().partition("\n")[0]
        waits = [each for each in self._crossing.waits if each.who is self.actor]
        return Failure(
            who=self,
            number=number,
            turns=self.turns,
            sqlstate=sqlstate,
            cause=masked(f"{said} [{sqlstate or 'no SQLSTATE'}]", sqlstate),
            detail=error.diag.message_detail or "",
            step=self._crossing.step,
            waiting=waits[-1] if waits and waits[-1].until is self._crossing.step else None,
        )

    def prepared_up_to(self, number: int) -> list[str]:
        """Return what of its turn the session prepares, up to a statement."""
        turn = self.turn[: number + 1]
        return [statement.text for statement in turn if _repeats(statement)]

    def _run(self, end: int) -> None:
        try:
            while self.place < end:
                self._send(self.turn[self.place])
                if self.in_transaction:
                    self._open_after.add(self.place)
                self.place += 1
        except psycopg.Error as error:
            self._error = self.place, error
            self.place = 0
            if not self.actor.connection.closed:
                self.actor.connection.rollback()
            return
        if self.place == len(self.turn):
            self.place = 0
            self.turns += 1

    def _send(self, statement: Statement) -> None:
        """Send what repeats as a prepared statement, as most drivers do by themselves."""
        if _repeats(statement):
            self.actor.connection.execute(statement.text.encode(), prepare=True)
        else:
            send(self.actor.connection, statement.text, statement.copy_data)


def failures_of(callers: Sequence[Caller]) -> list[Failure]:
    """Return what failed since this was asked last."""
    return [failed for caller in callers if (failed := caller.failure())]


def _repeats(statement: Statement) -> bool:
    return _word(statement) in _PREPARED


def _word(statement: Statement) -> str:
    return next(iter(words(statement.text)), "")
