"""From results to one verdict: what blocks, what is to be read, and the figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from batchgate.findings import Cause, Level, Row, State


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """How one gate ended; `count` is None without a result, `fails` says that it blocks.

    `target` is the database's name where a DSN gave one, `snapshot` the number of the target's
    snapshot that it saw (0: one of its own), `cost` what the planner estimated, in its units, and
    `definition` changes when the rule does.
    """

    name: str
    number: int
    title: str
    path: str
    sentence: str
    level: Level
    state: State
    seconds: float
    count: int | None = None
    sample: tuple[Row, ...] = ()
    fix: str = ""
    reason: str = ""
    figures: bool = False
    fails: bool = False
    target: str = ""
    cause: Cause = Cause.NONE
    tries: int = 1
    snapshot: int = 0
    cost: float | None = None
    plan: str = ""
    sql: str = ""
    definition: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as workers send them; they take no subclass of str."""
        words = {name: getattr(self, name).value for name in ("level", "state", "cause")}
        return {**asdict(self), **words}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "GateResult":
        """Rebuild a result from the plain values a worker sent."""
        rows = tuple(Row(tuple(r["columns"]), tuple(r["cells"])) for r in plain["sample"])
        words = {
            "level": Level(plain["level"]),
            "state": State(plain["state"]),
            "cause": Cause(plain["cause"]),
        }
        return cls(**{**plain, "sample": rows, **words})


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """How one check of a batch's file ended, such as `rollback.sql::restores-schema`."""

    batch: str
    check: str
    state: State
    seconds: float
    headline: str = ""
    fix: str = ""
    notes: tuple[str, ...] = ()
    unexercised: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Return whether it blocks; one that was not exercised neither fails nor passes."""
        return self.state is State.FAILED

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as workers send them; they take no subclass of str."""
        return {**asdict(self), "state": self.state.value}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "CheckResult":
        """Rebuild a result from the plain values a worker sent."""
        told = {name: tuple(plain[name]) for name in ("notes", "unexercised")}
        return cls(**{**plain, **told, "state": State(plain["state"])})


@dataclass(frozen=True, kw_only=True)
class Application:
    """One batch applied on the way up; `seconds` from its first statement to its last."""

    batch: str
    number: int
    summary: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class TargetReport:
    """What is known of a database that a DSN names, besides its gates; no secret is in it.

    `address` is libpq's keywords without the password, `source` the option or setting it came
    from, `server` its version, `role` "standby" or "primary" (nothing: never reached), `snapshots`
    when each was taken, in UTC, `grants` the statements that the gates' role lacks, and `error`
    why no gate could run there.
    """

    name: str
    address: str
    source: str
    server: str = ""
    role: str = ""
    user: str = ""
    snapshot_mode: str = ""
    snapshots: tuple[str, ...] = ()
    lag: str = ""
    lag_bytes: int | None = None
    lag_seconds: float | None = None
    notes: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything a verdict needs to know of a run."""

    gates: Sequence[GateResult] = ()
    targets: Sequence[TargetReport] = ()
    checks: Sequence[CheckResult] = ()
    applications: Sequence[Application] = ()
    gates_in_suite: Sequence[str] = ()
    required_in_suite: Sequence[str] = ()
    checks_in_suite: Sequence[str] = ()
    counts: dict[str, int] = field(default_factory=dict)
    reds_failed: int = 0
    finished: bool = True

    @property
    def gates_not_run(self) -> tuple[str, ...]:
        """Return the suite's gates that were not run at all, or not on each target."""
        ran = {(gate.name, gate.target) for gate in self.gates}
        places = [target.name for target in self.targets] or [""]
        return tuple(
            name
            for name in self.gates_in_suite
            if any((name, place) not in ran for place in places)
        )

    @property
    def checks_not_run(self) -> tuple[str, ...]:
        """Return the checks that the suite's batches owe and this run did not make."""
        made = {f"{check.batch}/{check.check}" for check in self.checks}
        return tuple(name for name in self.checks_in_suite if name not in made)

    @property
    def only_gates(self) -> bool:
        """Return whether the run was for gates on targets, and no batch was on trial."""
        return bool(self.targets) and not self.checks

    @property
    def failures(self) -> int:
        """Return how many tests failed or could not be set up."""
        return self.counts.get("failed", 0) + self.counts.get("error", 0)

    @property
    def others_failed(self) -> int:
        """Return how many tests failed that are neither a gate, a red proof nor a check."""
        ours = sum(gate.fails for gate in self.gates) + sum(each.failed for each in self.checks)
        return max(self.failures - ours - self.reds_failed, 0)


class Outcome(StrEnum):
    """The five things a run can be called."""

    BLOCKED = "Do not merge"
    GATES_FAIL = "Gates fail"
    GATES_PASS = "Gates pass"
    CLEAR = "No check blocks this merge"
    NONE = "No verdict"


@dataclass(frozen=True)
class Verdict:
    """The one line a run ends with."""

    outcome: Outcome
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}" if self.reason else str(self.outcome)


def judge(run: Run) -> Verdict:
    """Give the verdict; what did not run is never counted as good."""
    blocking = [gate for gate in run.gates if gate.fails]
    silent = [gate for gate in blocking if gate.state is State.NO_RESULT]
    if run.failures > len(silent) or len(blocking) > len(silent) or _failed(run):
        return _blocked(run, blocking)
    if silent:
        return Verdict(Outcome.NONE, f"{_silent(silent)} ({_reasons(silent)})")
    if not run.finished:
        return Verdict(Outcome.NONE, "the run did not finish")
    if not run.counts.get("passed", 0) and not run.gates:
        return Verdict(Outcome.NONE, "no test ran")
    skipped = [name for name in run.required_in_suite if name in run.gates_not_run]
    if skipped:
        return Verdict(
            Outcome.NONE,
            f"{counted(len(skipped), 'required gate')} not run ({', '.join(skipped)})",
        )
    passed = Outcome.GATES_PASS if run.only_gates else Outcome.CLEAR
    return Verdict(passed, _to_read(run))


def _failed(run: Run) -> list[CheckResult]:
    return [check for check in run.checks if check.failed]


def _blocked(run: Run, blocking: Sequence[GateResult]) -> Verdict:
    batches = {check.batch for check in _failed(run)}
    batches |= {each.batch for each in run.applications if each.error}
    parts = [counted(len(batches), "batch", "batches")] if batches else []
    silent = [gate for gate in blocking if gate.state is State.NO_RESULT]
    for level in Level:
        gates = sum(gate.level is level for gate in blocking if gate not in silent)
        parts += [counted(gates, f"{level} gate")] if gates else []
    parts += [_silent(silent)] if silent else []
    parts += [counted(run.reds_failed, "red proof")] if run.reds_failed else []
    parts += [counted(run.others_failed, "other test")] if run.others_failed else []
    only_gates = not batches and not run.reds_failed and not run.others_failed
    return Verdict(
        Outcome.GATES_FAIL if only_gates else Outcome.BLOCKED,
        "blocked by " + ", ".join(parts),
    )


def _silent(gates: Sequence[GateResult]) -> str:
    return f"{counted(len(gates), 'required gate')} without a result"


def _reasons(gates: Sequence[GateResult]) -> str:
    """Return what kept gates from a result, each cause once."""
    return ", ".join(dict.fromkeys(gate.cause.value for gate in gates))


def _to_read(run: Run) -> str:
    findings = sum(gate.state is State.WARNED for gate in run.gates)
    silent = sum(gate.state not in (State.PASSED, State.WARNED, State.FAILED) for gate in run.gates)
    parts = [f"{counted(findings, 'finding')} to read"] if findings else []
    parts += [f"{counted(silent, 'gate')} without a result"] if silent else []
    idle = sum(check.state is State.NOT_EXERCISED for check in run.checks)
    parts += [f"{counted(idle, 'check')} not exercised"] if idle else []
    if run.checks_not_run and not run.only_gates:
        owed = counted(len(run.checks_in_suite), "check")
        parts.append(f"{len(run.checks_not_run)} of {owed} not run")
    return ", ".join(parts)


def time_text(seconds: float) -> str:
    """Return a duration in the unit a reader would choose."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in the right form."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
