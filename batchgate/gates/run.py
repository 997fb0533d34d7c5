"""Run one gate and say how it ended."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from time import perf_counter

import psycopg

from batchgate.activity import Running
from batchgate.faults import cause_of, remedy_of
from batchgate.findings import Cause, Level, State
from batchgate.gates.checked import count_checked
from batchgate.gates.meaning import meaning_of, meaning_of_all_read
from batchgate.gates.plans import cost_of, grouped, shortened
from batchgate.gates.presence import NoSuchTable, is_empty, is_present
from batchgate.gates.rows import DECLARE, EXPLAIN, SAMPLE, SENT_BEFORE, Found, Overran, find_rows
from batchgate.gates.transaction import (
    Begun,
    begin_transaction,
    end_transaction,
    is_standby,
)
from batchgate.limits import Limits
from batchgate.reach.reaches import Reach, reaches
from batchgate.run import GateResult
from batchgate.serverwords import gate_words, masked_plan
from batchgate.suite import Batch, Gate

Attended = Callable[[int], AbstractContextManager[None]]

_TIMEOUTS = {"25P04": "transaction_timeout"}
_LOOKED = (State.PASSED, State.FAILED, State.WARNED, State.NOT_EXERCISED)


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How gates are run: under which limits, with how many rows to show, at what cost at most.

    The cost is the planner's estimate, in its own units.
    """

    limits: Limits = field(default_factory=Limits)
    samples: int = SAMPLE
    max_cost: float | None = None


def _unattended(_: int) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class Within:
    """Where a gate runs, on a server that others use, too.

    `snapshot` is an exported one to see; `standby` says that the server was one and should be
    still; `attended` is entered with the number of the server's process while the gate runs;
    `shifts` says that others may change tables and functions meanwhile.
    """

    snapshot: str = ""
    standby: bool = False
    attended: Attended = _unattended
    shifts: bool = False


def run_gate(
    connection: psycopg.Connection,
    gate: Gate,
    path: str,
    after: Sequence[Batch],
    manner: Manner,
    within: Within | None = None,
) -> GateResult:
    """Run a gate in a read-only transaction of its own and say how it ended.

    Raises StaleSnapshot where there is no such snapshot any more.
    """
    run = _GateRun(connection, gate, path, after, manner)
    started = perf_counter()
    try:
        run.look(within or Within())
    except psycopg.Error as error:
        run.faulted(error)
    except Overran:
        run.overran()
    except NoSuchTable as error:
        run.misnamed(str(error))
    finally:
        end_transaction(connection)
    return replace(run.result, seconds=perf_counter() - started)


def blank_result(gate: Gate, path: str) -> GateResult:
    """Return the result of a gate that has not got as far as one."""
    return GateResult(
        name=gate.name,
        number=gate.number,
        title=gate.title,
        path=f"{path}:{gate.line}",
        sentence=gate.header.sentence,
        level=gate.level,
        state=State.ERROR,
        seconds=0.0,
        fix="Put the gate's statement right.",
        figures=gate.rows == "figures",
        sql=gate.sql,
        definition=_definition(gate),
    )


def without_result(result: GateResult, cause: Cause, why: str = "", fix: str = "") -> GateResult:
    """Return that a gate gave no result, why, and what to do about it."""
    return replace(
        result,
        state=State.NO_RESULT,
        cause=cause,
        count=None,
        sample=(),
        checked=None,
        exact=False,
        reason=f"{cause}: {why}" if why else str(cause),
        fix=fix or remedy_of(cause),
    )


def _definition(gate: Gate) -> str:
    """Return what changes when the rule does: the statement, and what is made of its rows."""
    told = "\0".join((gate.sql, gate.level, gate.rows, *gate.of))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


class _GateRun:
    """One attempt at one gate, and what is known of it so far."""

    def __init__(
        self,
        connection: psycopg.Connection,
        gate: Gate,
        path: str,
        after: Sequence[Batch],
        manner: Manner,
    ) -> None:
        self._connection = connection
        self._gate = gate
        self._path = path
        self._after = after
        self._manner = manner
        self.result = blank_result(gate, path)

    def look(self, within: Within) -> None:
        """Run the gate from its first statement to its result."""
        begun = self._begin(within.snapshot)
        if within.standby and not begun.standby:
            self._promoted()
            return
        with within.attended(begun.pid):
            self._look()
            meaning = meaning_of_all_read(self._connection) if within.shifts else None
        if begun.standby and not is_standby(self._connection):
            self._promoted()
            return
        try:
            self._count()
        except psycopg.Error:
            # With nothing left to ask, what was found is found, whatever became of the connection.
            if meaning:
                raise
        if meaning:
            end_transaction(self._connection)
            self._begin()
            if meaning_of(self._connection, meaning.relations) != meaning:
                why = "what it reads is not what it was when its snapshot was taken"
                self.result = without_result(self.result, Cause.CHANGED, why)

    def _begin(self, snapshot: str = "") -> Begun:
        limits = self._manner.limits
        return begin_transaction(self._connection, limits, self._gate.name, snapshot)

    def _look(self) -> None:
        if reached := self._reached():
            why = "; ".join(map(str, reached))
            self.result = replace(
                self.result,
                reason=f"it reaches beyond its transaction: {why}",
                fix="Return the offending rows by a statement that only reads.",
            )
            return
        missing = [batch.name for batch in self._after if not is_present(self._connection, batch)]
        if missing:
            self._ended(State.NOT_APPLICABLE, reason=f"needs {', '.join(missing)}")
        elif self._is_cheap():
            manner = self._manner
            with Running(self._path, self._gate.sql):
                found = find_rows(
                    self._connection, self._gate, samples=manner.samples, limits=manner.limits
                )
            self._found(found)

    def _reached(self) -> tuple[Reach, ...]:
        """Look for what READ ONLY does not stop, in all that is going to be run."""
        statements = [self._gate.sql]
        if self._after:
            asked = ",\n".join(f"({batch.present})" for batch in self._after)
            statements.append(f"select {asked}")
        if self._gate.of:
            statements.append(f"select from {', '.join(self._gate.of)}")
        return reaches(self._connection, *statements)

    def _count(self) -> None:
        """Add how many rows there were to look at; last, since it may abort the transaction."""
        if self.result.state in _LOOKED:
            checked = count_checked(self._connection, self._gate.of, self._manner.limits)
            self.result = replace(self.result, checked=checked.rows, exact=checked.exact)

    def faulted(self, error: psycopg.Error) -> None:
        """Take an error for what it is: the gate's own, or what kept it from a result."""
        words = gate_words(error, self._gate.sql, self._path, self._gate.line, skip=SENT_BEFORE)
        cause = cause_of(error, broken=self._connection.broken)
        if cause is Cause.TIMED_OUT:
            name = _TIMEOUTS.get(error.sqlstate or "", "statement_timeout")
            words = f"after {getattr(self._manner.limits, name)}"
            option = f"--{name.replace('_', '-')}"
            fix = f"Run the gates at a quieter time, or raise {option}."
            self.result = without_result(self.result, cause, words, fix)
        elif cause:
            self.result = without_result(self.result, cause, words)
        else:
            self.result = replace(self.result, state=State.ERROR, reason=words)

    def overran(self) -> None:
        """Take a result that came after its limit for none: it may have been cut short."""
        words = f"after {self._manner.limits.statement_timeout}"
        self.result = without_result(self.result, Cause.TIMED_OUT, words)

    def misnamed(self, table: str) -> None:
        """Tell that the header names a table that is not there: the suite's own word, no data."""
        self.result = replace(
            self.result,
            state=State.ERROR,
            reason=f"expected a table for `of`, found none of the name {table}"
            f" at {self._path}:{self._gate.header.line('of')}",
            fix="Correct the name in `-- of:`, or name in `-- after:` the batch that makes it.",
        )

    def _promoted(self) -> None:
        why = "the server is a primary now, and was a standby when the run began"
        self.result = without_result(self.result, Cause.PROMOTED, why)

    def _is_cheap(self) -> bool:
        """Ask the planner what the gate would cost, and keep its plan."""
        cursor = self._connection.execute(
            (EXPLAIN + DECLARE + self._gate.sql).encode(), binary=True
        )
        plan = "\n".join(str(line) for (line,) in cursor)
        cost = cost_of(plan)
        # A condition that the planner worked out beforehand may hold a value of a row.
        self.result = replace(self.result, cost=cost, plan=shortened(masked_plan(plan)))
        limit = self._manner.max_cost
        if limit is None or cost <= limit:
            return True
        why = f"estimated at {grouped(cost)}, more than --max-cost {grouped(limit)}"
        self.result = without_result(self.result, Cause.TOO_COSTLY, why)
        return False

    def _found(self, found: Found) -> None:
        if found.count:
            required = self._gate.level is Level.REQUIRED
            self._ended(State.FAILED if required else State.WARNED, found=found)
            return
        empty = [table for table in self._gate.of if is_empty(self._connection, table)]
        if empty:
            self._ended(State.NOT_EXERCISED, reason=f"{', '.join(empty)} is empty")
        else:
            self._ended(State.PASSED, found=found)

    def _ended(self, state: State, *, found: Found | None = None, reason: str = "") -> None:
        self.result = replace(
            self.result,
            state=state,
            count=found.count if found else None,
            sample=found.sample if found else (),
            fix=self._gate.fix if found else _remedy(state, reason),
            reason=reason,
        )


def _remedy(state: State, reason: str) -> str:
    match state:
        case State.NOT_EXERCISED:
            return "Run it where there are rows, or say --allow-empty where none are expected."
        case State.NOT_APPLICABLE:
            return f"Apply {reason.removeprefix('needs ')} first."
        case _:
            return "Put the gate's statement right."
