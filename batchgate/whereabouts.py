"""Where gates ran and what they saw there, in the words of the terminal and of the page."""

from batchgate.verdict import TargetReport


def facts_of(target: TargetReport) -> dict[str, str]:
    """Return what there is to say of a target, by its label."""
    told = {
        "at": f"{target.address} ({target.source})",
        "server": f"PostgreSQL {target.server}, a {target.role}" if target.role else "",
        "login": target.user,
        "lag": target.lag if target.role == "standby" else "",
        "seen": _seen(target),
        "no gate ran": target.error,
    }
    return {label: text for label, text in told.items() if text}


def _seen(target: TargetReport) -> str:
    if target.snapshot_mode == "per-gate":
        return "each gate saw a snapshot of its own"
    if not target.snapshots:
        return ""
    if len(target.snapshots) == 1:
        return f"all gates saw one snapshot, taken at {target.snapshots[0]}"
    return f"gates saw snapshots taken at {', '.join(target.snapshots)}"
