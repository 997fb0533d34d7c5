"""One run of a file, statement by statement, and how far it got."""

from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

import psycopg
from psycopg.pq import TransactionStatus
from sqlparse import tokens as kinds

from batchgate.operate.dry import (
    UNDO,
    commits,
    ends_unseen,
    is_harmless,
    refuse_outside,
    refuse_unseen,
    undoes,
    would_stand,
)
from batchgate.operate.interruption import Interruption
from batchgate.script import Output, Script, ScriptError, Step, steps
from batchgate.sqltext import words
from batchgate.sqltokens import tokens
from batchgate.suite import Batch

_COMMITTING = {"commit", "call"}
_XID = "select pg_catalog.pg_current_xact_id_if_assigned()::text"


class Listener(Protocol):
    """Whoever is told what goes on; nothing that it is told with may raise."""

    def said(self, output: Output) -> None:
        """Take what the file says."""

    def ran(self, step: Step, seconds: float) -> None:
        """Take a statement that ran, and how long."""

    def again(self, text: str) -> None:
        """Take why the file is run again from its beginning."""


class Attempt:
    """A file that is run once; afterwards it tells what was begun and what is committed.

    `committed` is the last statement by which all before it is committed, `begun` the one that
    was sent last; `wrote` tells that what is committed may have changed something, `loose` that the
    statement sent last may have committed a part of its work. `would_stand` is what `batch` said,
    where it is given, before a dry run was undone.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        script: Script,
        listener: Listener,
        *,
        dry: bool,
        batch: Batch | None = None,
    ) -> None:
        self.script = script
        self.error: ScriptError | None = None
        self.begun = self.committed = 0
        self.wrote = self.loose = self.interrupted = self.lost = False
        self.would_stand: bool | None = None
        self.xid = ""
        self._batch = batch
        self._connection = connection
        self._listener = listener
        self._dry = dry
        self._pending = self._outside = self._asked = False
        self._started = 0.0
        self._held_back = ""

    def go(self, stop: Interruption) -> None:
        """Run the file to its end, its first error, or until it is to stop.

        Raises Refused where a file that is tried out leaves its transaction.
        """
        running = steps(self._connection, self.script, tell=self._listener.said)
        try:
            with stop.aimed_at(self._connection):
                while not stop.requested:
                    step = next(running)
                    self._ended(step) if step.ran else self._begins(step)
            self.interrupted = True
        except StopIteration as end:
            self.error = _as_written(end.value.error)
            self._ask_what_would_stand()
            self.interrupted = stop.requested and self.error is not None
        except psycopg.Error:
            # A question of ours between two statements; a statement's own error is no exception.
            self.interrupted = stop.requested
            if not (self._connection.broken or self.interrupted):
                raise
        finally:
            self.lost = self._connection.broken
            running.close()

    def _begins(self, step: Step) -> None:
        said = words(step.sent)
        self._outside = self._status is TransactionStatus.IDLE
        if self._dry and self._outside and not is_harmless(said):
            # Which branch a file takes is not known before it is run.
            refuse_outside(step.at)
        if self._dry and step.sent != UNDO and ends_unseen(step.statement, step.sent):
            refuse_unseen(step.at)
        if self._outside and _is_concurrent(said, step):
            self._held_back = self._lock_timeout("0")
        if self._status is TransactionStatus.INTRANS and commits(said):
            row = self._connection.execute(_XID).fetchone()
            self.xid = (row and row[0]) or ""
        if step.sent == UNDO and not self._outside:
            self._begin_to_undo()
        self.begun = step.number
        self._started = perf_counter()

    def _ended(self, step: Step) -> None:
        said = words(step.sent)
        seconds = perf_counter() - self._started
        if step.error:
            self.loose = self._outside and _commits_in_between(said, step)
            if step.sent == UNDO and self._status is TransactionStatus.INERROR:
                # As a commit does that fails; what stands then is asked at the end.
                self._connection.execute("rollback")
                self._asked = False
        elif undoes(said) or self._dry:
            self._pending = False
        else:
            self._pending |= not is_harmless(said)
        if not step.error and self._status is TransactionStatus.IDLE:
            self.committed = 0 if self._dry else step.number
            self.wrote |= self._pending
            self._pending = False
            self.xid = ""
        if self._held_back and not self._connection.broken:
            self._lock_timeout(self._held_back)
        self._held_back = ""
        self._listener.ran(step, seconds)

    def _begin_to_undo(self) -> None:
        if self._status is TransactionStatus.INERROR:
            # A commit of what has failed rolls back and is no error: the file may pass errors over.
            self._connection.execute("rollback; begin")
        self._ask_what_would_stand()

    def _ask_what_would_stand(self) -> None:
        """Ask once: at the commit, or where a file has none, at its end."""
        if self._dry and self._batch and self._batch.present and not (self._asked or self.error):
            self._asked = True
            self.would_stand = would_stand(self._connection, self._batch)

    @property
    def _status(self) -> TransactionStatus:
        return TransactionStatus(self._connection.info.transaction_status)

    def _lock_timeout(self, value: str) -> str:
        """Set lock_timeout and return what it was.

        What is made CONCURRENTLY waits for others and holds nobody up; cut short, it would leave an
        invalid index and begin anew.
        """
        was = self._connection.execute("show lock_timeout").fetchone()
        self._connection.execute("select pg_catalog.set_config('lock_timeout', %s, false)", [value])
        assert was is not None, "show returns a row"
        return str(was[0])


def _as_written(error: ScriptError | None) -> ScriptError | None:
    """Return an error with the commit that the file has, where a dry run has sent another end."""
    return replace(error, sql="commit") if error and error.sql == UNDO else error


def _commits_in_between(said: tuple[str, ...], step: Step) -> bool:
    """Tell whether a statement outside of a transaction may commit before it ends."""
    own = said[:1] == ("call",) or step.statement.send == "gexec"
    return own or _is_concurrent(said, step) or (said[:1] == ("do",) and _commits_itself(step.sent))


def _commits_itself(block: str) -> bool:
    """Tell whether a DO block may commit: by the words of its body, where they are PL/pgSQL's."""
    said = words(block)
    if "language" in said and "plpgsql" not in said:
        return True
    strings = [token for token in tokens(block) if token.kind in kinds.Literal]
    # In an escaped string words need not begin where they seem to.
    return any(
        token.kind is kinds.String.Escape or _COMMITTING.intersection(words(_inside(token.text)))
        for token in strings
    )


def _inside(string: str) -> str:
    """Return what stands between the quotes of a string, which may be dollars with a tag."""
    if not string.startswith("$"):
        return string.partition("'")[2].removesuffix("'").replace("''", "'")
    tag = string[: string.index("$", 1) + 1]
    return string.removeprefix(tag).removesuffix(tag)


def _is_concurrent(said: tuple[str, ...], step: Step) -> bool:
    """Tell whether a statement works CONCURRENTLY, or makes one that does."""
    makes = step.statement.send == "gexec" and "concurrently" in step.sent.lower()
    return makes or "concurrently" in said
