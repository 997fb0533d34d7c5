"""Run a file with a damage inside of its own transaction, which takes the damage back."""

from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

from batchgate.catalog import Snapshot, take_snapshot
from batchgate.mutation.damage import Statement as Damage
from batchgate.rehearsal.validation.checklines import statements_of
from batchgate.script import Script, ScriptRun, Step, steps
from batchgate.serverwords import masked
from batchgate.sqltext import Statement, words

# DDL that harms no one: whatever goes wrong after it would go wrong after any.
_HARMLESS = (
    sql.SQL("create schema batchgate_control"),
    sql.SQL("drop schema batchgate_control"),
)


class NotMade(Exception):
    """The damage could not be done, for what the server said."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.sqlstate = error.sqlstate or ""
        message = error.diag.message_primary or str(error).partition("\n")[0]
        self.reason = masked(message, self.sqlstate)


class InPlace:
    """A file of one transaction or none, and a session for running it many times.

    The damage is done once the file's transaction is open, and gone before it would be kept.
    For a file without one we open it, which is not `exact`: what a statement does at its
    commit, it does not do there.
    """

    def __init__(
        self,
        open_session: Callable[[], psycopg.Connection],
        script: Script,
        patience: int,
        opening: Statement | None,
        closing: Statement | None,
    ) -> None:
        self.exact = opening is not None
        self._open_session, self._script, self._patience = open_session, script, patience
        self._opening, self._closing = opening, closing
        self._session = open_session()

    @classmethod
    def of(
        cls, open_session: Callable[[], psycopg.Connection], script: Script, patience: int
    ) -> "InPlace | None":
        """Return the way to run a file so, or None where it has several transactions."""
        held = [placed.statement for placed in statements_of(script)]
        openings = [each for each in held if _opens(each)]
        closings = [each for each in held if _closes(each)]
        if not held or len(openings) > 1 or len(openings) != len(closings):
            return None
        if not openings:
            return cls(open_session, script, patience, None, None)
        return cls(open_session, script, patience, openings[0], closings[0])

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def succeeds_after_harmless_damage(self) -> bool:
        """Tell whether a file that passes does so here as well, with nothing damaged at all."""
        try:
            return self.run(_HARMLESS).error is None
        except NotMade:
            return False

    def run(self, damage: Sequence[Damage]) -> ScriptRun:
        """Run the file where a damage is done; raises NotMade where it cannot be."""
        session = self._ready()
        running = steps(session, self._script)
        sent, is_left_open = False, False
        try:
            while True:
                step = next(running)
                # A step that ran and was not sent is the complaint about an open transaction.
                is_left_open = step.ran and not sent
                sent = not step.ran
                self._at(step, session, damage)
        except StopIteration as end:
            run: ScriptRun = end.value
            if is_left_open and not self._opening:
                return ScriptRun(run.outputs[:-1], None, 0)
            return run
        finally:
            running.close()

    def schema(self, damage: Sequence[Damage]) -> Snapshot | None:
        """Return what stands once a damage is done, which is taken back again."""
        with self._ready().transaction(force_rollback=True):
            do_damage(self._session, damage)
            return seen(self._session)

    def _at(self, step: Step, session: psycopg.Connection, damage: Sequence[Damage]) -> None:
        """Do the damage in the transaction when it is open, and end that before it is kept."""
        statement = step.statement
        if self._opening is None and not step.ran and step.number == 1:
            session.execute("begin")
            do_damage(session, damage)
        elif statement is self._opening and step.ran and not step.error:
            do_damage(session, damage)
        elif statement is self._closing and not step.ran:
            session.execute("rollback")

    def _ready(self) -> psycopg.Connection:
        if self._session.closed:
            self._session = self._open_session()
        else:
            self._session.execute("discard all")
        # What psycopg prepares by itself would not outlive a DISCARD ALL.
        self._session.prepare_threshold = None
        limit(self._session, self._patience)
        return self._session


def limit(session: psycopg.Connection, seconds: int) -> None:
    """Give every statement of a session only so long."""
    session.execute(sql.SQL("set statement_timeout = {}").format(sql.Literal(f"{seconds}s")))


def do_damage(session: psycopg.Connection, damage: Sequence[Damage]) -> None:
    """Do what a mutant says; raises NotMade where the server does not."""
    try:
        for statement in damage:
            session.execute(statement)
    except psycopg.Error as error:
        raise NotMade(error) from None


def seen(session: psycopg.Connection) -> Snapshot | None:
    """Return what stands, or None where a damage went so deep that it cannot be read."""
    try:
        return take_snapshot(session)
    except psycopg.Error:
        return None


def _opens(statement: Statement) -> bool:
    return words(statement.text)[:1] in (("begin",), ("start",))


def _closes(statement: Statement) -> bool:
    said = words(statement.text)[:3]
    if said[:1] in (("rollback",), ("abort",)):
        return "to" not in said
    return said[:1] in (("commit",), ("end",)) or said[:2] == ("prepare", "transaction")
