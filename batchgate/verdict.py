"""From results to one verdict: what blocks, what is to be read, and the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchgate.config import Settings
from batchgate.findings import Level, State
from batchgate.run import CheckResult, GateResult, Run

_RESULTS = (State.PASSED, State.FAILED, State.WARNED)


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


def fails(result: GateResult, settings: Settings) -> bool:
    """Tell whether a gate's result fails the run that it is of."""
    if result.state is State.NOT_EXERCISED and settings.allow_empty:
        return False
    if result.state is State.WARNED:
        return settings.strict_gates
    return result.state is not State.PASSED and (
        result.level is Level.REQUIRED or result.state is State.ERROR
    )


def judge(run: Run, *, failed: bool = False) -> Verdict:
    """Give the verdict; what did not run is never counted as good.

    `failed` says that pytest called the run failed: another plugin may, when no test did.
    """
    blocking = [gate for gate in run.gates if gate.fails]
    silent = [gate for gate in blocking if gate.state is State.NO_RESULT]
    if run.failures > len(silent) or len(blocking) > len(silent) or _failed(run):
        return _blocked(run, blocking)
    if silent:
        return Verdict(Outcome.NONE, f"{_silent(silent)} ({_reasons(silent)})")
    if not run.finished:
        return Verdict(Outcome.NONE, "the run did not finish")
    if run.not_collected:
        return Verdict(Outcome.NONE, f"{counted(run.not_collected, 'file')} could not be collected")
    if not run.counts.get("passed", 0) and not run.gates:
        return Verdict(Outcome.NONE, "no test ran")
    skipped = [name for name in run.required_in_suite if name in run.gates_not_run]
    if skipped:
        return Verdict(
            Outcome.NONE,
            f"{counted(len(skipped), 'required gate')} not run ({', '.join(skipped)})",
        )
    if run.only_gates and not any(gate.state in _RESULTS for gate in run.gates):
        return Verdict(Outcome.NONE, "no gate gave a result")
    if failed:
        return Verdict(Outcome.NONE, "pytest failed, and no test of it")
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
