"""What is said of a file that was run: its closing line, its failure, and its part of the JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from batchgate.cli.endings import Ended, Ending
from batchgate.errors import BatchFailed, BatchgateError, Message, ServerUnavailable
from batchgate.operate.carrying import Carried, Outcome
from batchgate.operate.task import Route
from batchgate.printed import Failure

_DONE = {
    Route.ORDINARY: "applied",
    Route.ONLINE: "applied online",
    Route.ROLLBACK: "rolled back",
    Route.VALIDATION: "validated",
}
_SHOWN = 20


def closing_line(carried: Carried, database: str, *, dry: bool) -> str:
    """Return the last line of a file that went through."""
    name, seconds = carried.task.batch.name, f"{carried.seconds:.1f} s (database {database})"
    if dry and carried.task.route is not Route.VALIDATION:
        what = "rollback of " if carried.task.route is Route.ROLLBACK else ""
        return f"✅ {what}{name} tried out in {seconds}: nothing was kept"
    again = f", at attempt {carried.attempts}" if carried.attempts > 1 else ""
    return f"✅ {name} {_DONE[carried.task.route]} in {seconds}{again}"


def failure_of(
    carried: Carried, printed: Sequence[Failure], *, dry: bool
) -> BatchgateError | Ended | None:
    """Return what is wrong with how a file ended, or None."""
    if carried.outcome is Outcome.INTERRUPTED:
        said = Message(
            headline=f"interrupted: batch {carried.task.batch.name}, {_where(carried)}",
            left="\n".join([carried.left, *carried.standing()]),
        )
        return Ended(str(said), Ending.INTERRUPTED)
    if carried.outcome is Outcome.LOST:
        return ServerUnavailable(
            f"batch {carried.task.batch.name}: expected the connection to last, it was lost"
            f" {_where(carried)}",
            at=carried.error.at if carried.error else "",
            cause=carried.error.cause if carried.error else "",
            left="\n".join([carried.left, *carried.standing()]),
            fix="Look whether the server runs, then what stands: batchgate status.",
        )
    if carried.outcome is Outcome.FAILED:
        return carried.failure()
    if printed:
        return BatchFailed(
            f"batch {carried.task.batch.name}: expected a validation that fails to end by an error,"
            f" found that it printed a failure and went on",
            at=printed[0].at,
            rows=[each.text for each in printed[:_SHOWN]],
            fix="Put right what it found.",
        )
    return _standing_otherwise(carried, carried.would_stand if dry else carried.stands)


def part_of(carried: Carried, *, failed: bool) -> Mapping[str, Any]:
    """Return what is known of a file that was run, as values."""
    error = carried.error
    failing = failed and carried.outcome is Outcome.DONE
    return {
        "batch": carried.task.batch.name,
        "file": carried.file,
        "route": carried.task.route.value,
        "outcome": "failed" if failing else carried.outcome.value.replace(" ", "_"),
        "seconds": round(carried.seconds, 3),
        "attempts": carried.attempts,
        "statements": carried.statements,
        "statements_sent": carried.begun,
        "statements_committed": carried.committed,
        "stands": carried.stands,
        "left": carried.left or None,
        "commit": carried.fate.value.replace(" ", "_") if carried.fate else None,
        "error": {"at": error.at, "sqlstate": error.sqlstate} if error else None,
        "blocked_by": list(carried.blockers),
    }


def _where(carried: Carried) -> str:
    if not carried.begun:
        return "before its first statement"
    return f"at statement {carried.begun} of {carried.statements}"


def _standing_otherwise(carried: Carried, stands: bool | None) -> BatchFailed | None:
    """Return the failure of a file that went through and did not do what it owes."""
    task = carried.task
    undone = task.route is Route.ROLLBACK and stands is True
    missed = task.applies and stands is False
    if not (undone or missed):
        return None
    return BatchFailed(
        f"batch {task.batch.name}: expected `present` to be {str(missed).lower()} once"
        f" {task.path.name} has run, found {str(undone).lower()}",
        at=carried.file,
        fix="Look at what stands, batchgate status, and at the file.",
    )
