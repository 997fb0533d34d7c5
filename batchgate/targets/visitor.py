"""Runs gates on targets, and tries again what replay took away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from batchgate.activity import Stage
from batchgate.faults import remedy_of
from batchgate.findings import Cause, State
from batchgate.gates.run import Within, blank_result, run_gate, without_result
from batchgate.gates.transaction import StaleSnapshot, begin_transaction, end_transaction
from batchgate.run import GateResult
from batchgate.suite import Batch, Gate
from batchgate.targets.address import Target, TargetUnavailable
from batchgate.targets.desk import Desk
from batchgate.targets.grants import missing_grants
from batchgate.targets.keeper import Visit
from batchgate.targets.line import Line, open_line
from batchgate.targets.terms import Terms

TRIES = 3
_TRIED_AGAIN = (
    Cause.CONFLICT,
    Cause.CHANGED,
    Cause.CUT,
    Cause.GAVE_WAY,
    Cause.NO_SNAPSHOT,
)


class Visitor:
    """One connection to each target that its gates ask for; they run one after the other."""

    def __init__(self, desk: Desk, terms: Terms) -> None:
        self._desk = desk
        self._terms = terms
        self._lines: dict[str, Line] = {}
        self._abandoned = False

    def run(self, target: Target, gate: Gate, path: str, after: Sequence[Batch]) -> GateResult:
        """Run a gate on a target; where it gives no result, the result says why."""
        result = replace(blank_result(gate, path), target=target.name)
        before, spent = 0, 0.0
        for attempt in range(1, TRIES + 1):
            # To the snapshot that was used, what has changed stays as it is.
            old = result.snapshot if result.cause is Cause.CHANGED else 0
            with Stage(f"asking for a snapshot of {target.name or 'the target'}"):
                visit = self._desk.visit(target.name, again=attempt > 1, newer_than=old)
            if result.cause is Cause.CUT and visit.conflicts <= before:
                # Nothing says that it was replay, and what else it was will not have passed.
                break
            before = visit.conflicts
            if visit.cause:
                refused = without_result(result, visit.cause, visit.why, visit.fix)
                result = replace(refused, seconds=0.0)
            else:
                result = self._attempt(target, visit, gate, path, after)
            spent += result.seconds
            result = replace(
                result, target=target.name, tries=attempt, snapshot=visit.number, seconds=spent
            )
            if result.cause not in _TRIED_AGAIN:
                break
        return _counted_tries(result)

    def abandon(self) -> None:
        """Cancel and cut every connection, from any thread: nobody waits for an answer."""
        self._abandoned = True
        for line in list(self._lines.values()):
            line.abandon()

    def close(self) -> None:
        """Leave every target."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _attempt(
        self, target: Target, visit: Visit, gate: Gate, path: str, after: Sequence[Batch]
    ) -> GateResult:
        blank = blank_result(gate, path)
        try:
            line = self._line(target)
        except TargetUnavailable as error:
            visit = self._desk.unreachable(target.name, error.fault, error.message)
            return without_result(blank, visit.cause, visit.why, visit.fix)
        attendance = _Attendance(self._desk, target.name)
        try:
            result = run_gate(
                line,
                gate,
                path,
                after,
                self._terms.manner,
                Within(
                    snapshot=visit.snapshot,
                    standby=visit.standby,
                    attended=attendance.attend,
                    shifts=True,
                ),
            )
        except StaleSnapshot:
            why = "the server ended the one that all gates were to see"
            return without_result(blank, Cause.NO_SNAPSHOT, why)
        if result.cause is Cause.CONFLICT:
            # Up to version 16 the server may end the session a moment after the statement.
            line.close()
        if line.silent:
            why = f"no answer within {line.patience:.0f} s"
            self._desk.give_up(target.name, Cause.LOST, why, remedy_of(Cause.LOST))
            return without_result(result, Cause.LOST, why)
        if attendance.gave_way and result.state is not State.ERROR:
            limit = f"replay had waited for {self._terms.max_replay_wait:g} s"
            return without_result(result, Cause.GAVE_WAY, limit)
        if result.cause is Cause.UNREACHABLE:
            why = result.reason.removeprefix(f"{Cause.UNREACHABLE}: ")
            self._desk.give_up(target.name, Cause.UNREACHABLE, why, result.fix)
        if result.cause is Cause.NOT_PERMITTED or result.state is State.ERROR:
            return self._with_grants(line, result, gate, after)
        return result

    def _line(self, target: Target) -> Line:
        line = self._lines.get(target.name)
        if line is None or line.closed:
            line = self._lines[target.name] = open_line(target, self._terms.manner.limits)
            if self._abandoned:
                # It came too late to be cut with the others.
                line.abandon()
        return line

    def _with_grants(
        self, line: Line, result: GateResult, gate: Gate, after: Sequence[Batch]
    ) -> GateResult:
        """Add the statements that give the role what a gate needs, where it lacks anything.

        To a role without USAGE on a schema, what is in it does not exist.
        """
        try:
            begin_transaction(line, self._terms.manner.limits, gate.name)
            lacking = missing_grants(line, asked_by(gate, after))
        except psycopg.Error:
            # The gate has its reason already; the remedy is the general one.
            return result
        finally:
            end_transaction(line)
        lacking = tuple(grant for grant in lacking if "pg_read_all_stats" not in grant)
        if not lacking:
            return result
        said = (
            "On the primary, as the tables' owner; what is said of a role, as a superuser:",
            *lacking,
        )
        why = result.reason.removeprefix(f"{Cause.NOT_PERMITTED}: ")
        return without_result(result, Cause.NOT_PERMITTED, why, "\n".join(said))


class _Attendance:
    """One gate under the eyes of the keeper, who may cancel it."""

    def __init__(self, desk: Desk, target: str) -> None:
        self._desk = desk
        self._target = target
        self.gave_way = False

    @contextmanager
    def attend(self, pid: int) -> Iterator[None]:
        """Let the keeper know of a gate from its first statement to its last, not after."""
        self._desk.began(self._target, pid)
        try:
            yield
        finally:
            self.gave_way = self._desk.ending(self._target, pid)


def asked_by(gate: Gate, after: Sequence[Batch]) -> list[str]:
    """Return all that a gate asks of a server."""
    return [gate.sql, *gate.of, *(batch.present for batch in after)]


def _counted_tries(result: GateResult) -> GateResult:
    if result.tries < TRIES or result.cause not in _TRIED_AGAIN:
        return result
    return replace(result, reason=f"{result.reason}; tried {TRIES} times")
