"""Where gates ran and what they saw there, in the words of the terminal and of the page."""

from collections.abc import Sequence

from batchgate.run import GateResult, Run, TargetReport

GRANTS = (
    "missing grants; on the primary, as the tables' owner; what is said of a role, as a superuser"
)


def is_statement(line: str) -> bool:
    """Tell whether a line is SQL to paste, which stays in one piece."""
    return line.endswith(";") or line.startswith("--")


def gates_of(run: Run, target: TargetReport) -> list[GateResult]:
    """Return the gates that were to run on a target."""
    return [gate for gate in run.gates if gate.target == target.name]


def facts_of(target: TargetReport, gates: Sequence[GateResult] = ()) -> dict[str, str]:
    """Return what there is to say of a target where these gates were to run, by its label."""
    ended = "interrupted" if any(gate.count is not None for gate in gates) else "no gate ran"
    told = {
        "at": f"{target.address} ({target.source})",
        "server": f"PostgreSQL {target.server}, a {target.role}" if target.role else "",
        "login": target.user,
        "lag": target.lag if target.role == "standby" else "",
        "seen": _seen(target),
        ended: target.error,
        "fix": _common_fix(target, gates),
    }
    return {label: text for label, text in told.items() if text}


def is_told(target: TargetReport, gate: GateResult) -> bool:
    """Tell whether what is said of the target says already why a gate has no result."""
    return bool(target.error) and gate.reason == target.error


def is_listed(target: TargetReport, gate: GateResult) -> bool:
    """Tell whether the statements that put a gate right are all among the target's grants."""
    asked = set(filter(is_statement, gate.fix.splitlines()))
    return bool(asked) and asked <= {line for each in target.grants for line in each.splitlines()}


def _common_fix(target: TargetReport, gates: Sequence[GateResult]) -> str:
    return next((gate.fix for gate in gates if is_told(target, gate)), "")


def _seen(target: TargetReport) -> str:
    if target.snapshot_mode == "per-gate":
        return "each gate saw a snapshot of its own"
    if not target.snapshots:
        return ""
    if len(target.snapshots) == 1:
        return f"all gates saw one snapshot, taken at {target.snapshots[0]}"
    return f"gates saw snapshots taken at {', '.join(target.snapshots)}"
