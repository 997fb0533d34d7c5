"""A run as values: gates, checks, batches applied, targets and tests, each as it ended."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from batchgate.findings import Cause, Level, Row, State
from batchgate.particulars import Particulars


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """How one gate ended; `count` is None without a result, `fails` says that it blocks.

    `target` is the database's name where a DSN gave one, `snapshot` the number of the target's
    snapshot that it saw (0: one of its own), `cost` what the planner estimated, in its units,
    `checked` how many rows its tables hold (None: not known; counted where `exact`, else as last
    analyzed), and `definition` changes when the rule does.
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
    checked: int | None = None
    exact: bool = False
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
    particulars: Particulars = field(default_factory=Particulars)

    @property
    def failed(self) -> bool:
        """Return whether it blocks; one that was not exercised neither fails nor passes."""
        return self.state is State.FAILED

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as workers send them; they take no subclass of str."""
        plain = {**asdict(self), "state": self.state.value}
        return {**plain, "particulars": self.particulars.as_dict()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "CheckResult":
        """Rebuild a result from the plain values a worker sent."""
        told = {name: tuple(plain[name]) for name in ("notes", "unexercised")}
        seen = Particulars.from_dict(plain["particulars"])
        return cls(**{**plain, **told, "state": State(plain["state"]), "particulars": seen})


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
class TestResult:
    """How one test ended, or one phase of it that did not pass.

    `said` is the word that the terminal shows, `when` "setup", "call", "teardown" or "collect",
    `text` what it has to say where it did not pass.
    """

    __test__ = False

    id: str
    outcome: str
    said: str
    when: str
    seconds: float
    text: str = ""


@dataclass(frozen=True)
class Promised:
    """A batch of the suite: the checks that its files owe, and what they hold."""

    name: str
    number: int
    summary: str = ""
    checks: tuple[str, ...] = ()
    irreversible: str = ""
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything a verdict needs to know of a run."""

    gates: Sequence[GateResult] = ()
    targets: Sequence[TargetReport] = ()
    checks: Sequence[CheckResult] = ()
    applications: Sequence[Application] = ()
    tests: Sequence[TestResult] = ()
    promised: Sequence[Promised] = ()
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
    def not_collected(self) -> int:
        """Return how many files could not be collected: nobody knows what is in them."""
        return sum(test.when == "collect" and test.outcome == "error" for test in self.tests)

    @property
    def failures(self) -> int:
        """Return how many tests failed or could not be set up."""
        return self.counts.get("failed", 0) + self.counts.get("error", 0)

    @property
    def others_failed(self) -> int:
        """Return how many tests failed that are neither a gate, a red proof nor a check."""
        ours = sum(gate.fails for gate in self.gates) + sum(each.failed for each in self.checks)
        return max(self.failures - ours - self.reds_failed, 0)
