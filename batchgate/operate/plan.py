"""Which files a wish comes down to where so much stands; what cannot be granted is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from batchgate.errors import Refused
from batchgate.operate.standing import Standing
from batchgate.operate.task import Plan, Route, Task
from batchgate.suite import Batch, Suite


def to_apply(standing: Standing, batch: Batch, *, online: bool) -> Plan:
    """Return what applies one batch, standing or not; raises Refused."""
    task = _forward(batch, online=online)
    if task is None:
        raise Refused(
            f"batch {batch.name}: expected a migration.sql, found a validation alone",
            fix=f"Run it with batchgate validate {batch.name}.",
        )
    if online and task.route is not Route.ONLINE:
        raise Refused(
            f"batch {batch.name}: expected a migration.online.sql for --online, found none",
            fix="Leave out --online, or write that file.",
        )
    _expect_required(standing, batch, ())
    return Plan((replace(task, stood=standing.stands(batch) is True),), {})


def to_apply_through(
    suite: Suite, standing: Standing, last: Batch, *, online: bool, allow_empty: bool = False
) -> Plan:
    """Return what applies all batches up to one that do not stand; raises Refused.

    A batch that only validates is run on the way: nothing is applied on top of what it finds wrong.
    Where empty tables are expected it is left out: to its file they are none.
    """
    tasks: list[Task] = []
    left_out: dict[str, str] = {}
    for batch in suite.up_to(last):
        task = _forward(batch, online=online)
        if task is None and allow_empty:
            left_out[batch.name] = "only validates, and --allow-empty is given"
        elif task is None:
            tasks.append(Task(batch, _known(batch.validation), Route.VALIDATION))
        elif _stands(standing, batch):
            left_out[batch.name] = "stands already"
        else:
            _expect_required(standing, batch, [each.batch.name for each in tasks])
            tasks.append(task)
    needed = last.migration is None or any(task.applies for task in tasks)
    return Plan(tuple(tasks) if needed else (), left_out)


def to_roll_back(suite: Suite, standing: Standing, batch: Batch) -> Plan:
    """Return what rolls one batch back; raises Refused."""
    task = _back(standing, batch)
    needed_by = [
        each.name for each in suite.batches if batch.name in each.requires and standing.stands(each)
    ]
    if needed_by:
        raise Refused(
            f"batch {batch.name}: expected no batch that requires it,"
            f" found that {', '.join(needed_by)} stand{'s' * (len(needed_by) == 1)}",
            fix=f"Roll back down to it: batchgate rollback --through {batch.name}.",
        )
    return Plan((task,), {})


def to_roll_back_through(suite: Suite, standing: Standing, last: Batch) -> Plan:
    """Return what rolls back all that stand down to one batch, the newest first; raises Refused."""
    tasks: list[Task] = []
    left_out: dict[str, str] = {}
    for batch in reversed(suite.batches[suite.batches.index(last) :]):
        if batch.migration is None:
            continue
        if _stands(standing, batch):
            tasks.append(_back(standing, batch))
        else:
            left_out[batch.name] = "does not stand"
    return Plan(tuple(tasks), left_out)


def to_validate(suite: Suite, standing: Standing, batches: Sequence[Batch]) -> Plan:
    """Return what validates the batches, or all that stand where none is named; raises Refused."""
    tasks: list[Task] = []
    left_out: dict[str, str] = {}
    for batch in batches or suite.batches:
        reason = "" if batches else _not_standing(suite, standing, batch)
        if batch.validation and not reason:
            tasks.append(Task(batch, batch.validation, Route.VALIDATION))
        elif batches:
            raise Refused(
                f"batch {batch.name}: expected a validation.sql, found none",
                fix="Write one that raises an error where something is missing.",
            )
        else:
            left_out[batch.name] = reason or "has no validation.sql"
    return Plan(tuple(tasks), left_out)


def expect_dry(plan: Plan) -> None:
    """Raise Refused where several files are to be tried out, each of which builds on the last.

    In one transaction they would not be what they are one by one: what a file sets, makes for its
    transaction alone or asks the time for would reach into the next.
    """
    changing = [task.batch.name for task in plan.tasks if task.route is not Route.VALIDATION]
    verb = "apply" if any(task.applies for task in plan.tasks) else "rollback"
    if len(changing) > 1:
        raise Refused(
            f"expected one batch to try out, found {len(changing)}: {', '.join(changing)}",
            cause="Each builds on what the one before committed, and a dry run commits nothing.",
            fix=f"Try out the first: batchgate {verb} {changing[0]} --dry-run. The whole way is"
            " rehearsed by pytest sql on a throw-away server, or on a copy of the database.",
        )


def _forward(batch: Batch, *, online: bool) -> Task | None:
    if online and batch.online:
        return Task(batch, batch.online, Route.ONLINE)
    return Task(batch, batch.migration, Route.ORDINARY) if batch.migration else None


def _back(standing: Standing, batch: Batch) -> Task:
    if batch.migration is None:
        raise Refused(
            f"batch {batch.name}: expected a batch that was applied, found a validation alone",
            fix="There is nothing to roll back.",
        )
    # What an online route left unfinished does not stand, but can be taken back: its file knows.
    if standing.stands(batch) is False and not batch.online:
        raise Refused(
            f"batch {batch.name}: expected it to stand, found that it does not",
            fix="There is nothing to roll back; batchgate status tells what stands.",
        )
    if batch.rollback is None:
        raise Refused(
            f"batch {batch.name}: expected a rollback.sql, found that it is irreversible",
            cause=batch.irreversible,
            fix="Bring back a copy of the database from before, or write what undoes it.",
        )
    return Task(batch, batch.rollback, Route.ROLLBACK, stood=standing.stands(batch) is True)


def _stands(standing: Standing, batch: Batch) -> bool:
    stands = standing.stands(batch)
    if stands is None:
        raise Refused(
            f"batch {batch.name}: expected a `present` line that tells whether it stands,"
            " found none",
            fix="Add `-- present: <boolean SQL>` to migration.sql's header, or name the batches one"
            " by one.",
        )
    return stands


def _expect_required(standing: Standing, batch: Batch, before: Sequence[str]) -> None:
    """Raise Refused where what a batch requires neither stands nor is applied before it."""
    lacking = [name for name in standing.lacking(batch) if name not in before]
    for name in batch.requires:
        if name not in before:
            # Where its `present` gave no answer, that is raised.
            standing.stands(name)
    if lacking:
        raise Refused(
            f"batch {batch.name}: expected {', '.join(lacking)} to stand, found that"
            f" {'it does' if len(lacking) == 1 else 'they do'} not",
            fix=f"Apply all that is missing: batchgate apply --through {batch.name}.",
        )


def _not_standing(suite: Suite, standing: Standing, batch: Batch) -> str:
    """Return why a batch is not among those that stand; a validation alone is of all below it."""
    if batch.migration is None:
        below = [each for each in suite.up_to(batch) if standing.stands(each) is False]
        return f"waits for {below[0].name}" if below else ""
    stands = standing.stands(batch)
    if stands is None:
        return "cannot be asked whether it stands: name it"
    return "" if stands else "does not stand"


def _known(path: Path | None) -> Path:
    assert path is not None, "a folder without a migration has a validation"
    return path
