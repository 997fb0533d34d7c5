"""See a gate fail: the smallest damage must turn it red, in a transaction rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from batchgate.errors import GateFailed
from batchgate.gates.presence import is_present
from batchgate.gates.rows import SENT_BEFORE, find_rows
from batchgate.limits import Limits
from batchgate.psqlsend import send
from batchgate.serverwords import server_words, shown_sql
from batchgate.sqltext import Statement, read_sql, split
from batchgate.suite import Batch, Gate

_LIMITED = "select set_config('search_path', %s, true), set_config('statement_timeout', %s, true)"


@dataclass(frozen=True)
class Proof:
    """How many rows a gate found before the damage and after it."""

    before: int
    after: int

    @property
    def red(self) -> bool:
        """Return whether the damage added to what the gate finds."""
        return self.after > self.before


def try_red(
    session: psycopg.Connection,
    gate: Gate,
    path: str,
    needed: Sequence[Batch],
    limits: Limits | None = None,
) -> Proof:
    """Do the damage at `path`, count what the gate finds before and after, and undo it.

    Of the limits those that a proof needs, too: a name has to mean here what it means to the gate,
    and nothing may run for ever.
    """
    absent = [batch.name for batch in needed if not is_present(session, batch)]
    if absent:
        raise GateFailed(
            f"gate {gate.name}: expected {absent[0]} to stand, found it absent",
            at=path,
            fix="Apply the batch, or correct its `present` expression.",
        )
    limits = limits or Limits()
    session.execute("begin")
    try:
        session.execute(_LIMITED, [limits.search_path, limits.statement_timeout])
        before = _look(session, gate, path)
        _damage(session, gate, path)
        return Proof(before, _look(session, gate, path))
    finally:
        if session.info.transaction_status == TransactionStatus.ACTIVE:
            # Of a run that was told to end: what is under way ends with the session.
            session.close()
        elif not session.broken:
            session.rollback()


def _look(session: psycopg.Connection, gate: Gate, path: str) -> int:
    """Count what the gate finds now, reading only, so that it does no damage of its own."""
    gate_path = path.removesuffix(gate.red.name) + gate.path.name
    session.execute("savepoint looking; set local transaction_read_only = on")
    try:
        found = find_rows(session, gate).count
    except psycopg.Error as error:
        raise GateFailed(
            f"gate {gate.name}: expected a result during its red proof, found an error",
            at=f"{gate_path}:{gate.line}",
            cause=server_words(error, gate.sql, gate_path, gate.line, skip=SENT_BEFORE),
            fix=_fix(error, "Put the gate's statement right."),
        ) from error
    session.execute("rollback to savepoint looking")
    return found


def not_red(gate: Gate, path: str, proof: Proof) -> GateFailed:
    """Return the message of a proof that left its gate as it was."""
    return GateFailed(
        f"gate {gate.name}: expected its red proof to turn it red, "
        f"found {proof.before} before and {proof.after} after",
        at=f"{path}:1",
        fix="First make the gate green; then do damage that it returns as a row."
        if proof.before
        else "Do damage that the gate's statement returns as a row (a table without rows cannot "
        "be updated), or put the gate right.",
    )


def _damage(session: psycopg.Connection, gate: Gate, path: str) -> None:
    for part in split(read_sql(gate.red), path=path):
        assert isinstance(part, Statement), "collection refused psql's commands"
        try:
            send(session, part.text, part.copy_data)
        except psycopg.Error as error:
            raise GateFailed(
                f"gate {gate.name}: expected its red proof to do damage, a statement failed",
                at=f"{path}:{part.line}",
                sql=shown_sql(part.text),
                cause=server_words(error, part.text, path, part.line),
                fix=_fix(error, "Drop first whatever prevents the damage."),
            ) from error


def _fix(error: psycopg.Error, otherwise: str) -> str:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return "Make it quicker on the sample data, or raise --statement-timeout."
    return otherwise
