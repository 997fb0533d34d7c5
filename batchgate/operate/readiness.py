"""Whether a database is ready for a task: its gates pass, and no large table is held for long."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from batchgate.config import Settings
from batchgate.errors import Refused
from batchgate.findings import State
from batchgate.gates.run import Manner
from batchgate.operate.entry import Entrance
from batchgate.operate.gates import required_gates, run_gates
from batchgate.operate.task import Task
from batchgate.operate.weight import Burden, weigh
from batchgate.reading import read_query
from batchgate.run import GateResult
from batchgate.suite import Suite
from batchgate.verdict import counted

# Of a table, a column, a function, a type or a schema that is not there.
_MISSING = ("[42P01]", "[42703]", "[42883]", "[42704]", "[3F000]")


def expect_gates(
    entrance: Entrance, suite: Suite, settings: Settings, task: Task, manner: Manner
) -> int:
    """Run the gates over what a batch builds on; return how many, or raise Refused."""
    gates = required_gates(suite, task.batch)
    if not gates:
        return 0
    entrance.clean()
    results = run_gates(entrance.connection, gates, suite, settings, manner)
    failing = [result for result in results if result.fails]
    if failing:
        raise Refused(
            f"batch {task.batch.name}: expected {counted(len(gates), 'required gate')} to pass,"
            f" found that {len(failing)} do{'es' * (len(failing) == 1)} not",
            rows=[_told(result) for result in failing],
            fix=_fix([_after(result, task, settings, suite) for result in failing]),
        )
    return len(gates)


def heavy_burdens(
    entrance: Entrance, suite: Suite, settings: Settings, task: Task, large: int
) -> list[Burden]:
    """Return what a task does to tables of at least so many bytes while others wait.

    Where no table is that large nothing is measured. Raises NotWeighed where that is not possible.
    """
    entrance.clean()
    connection = entrance.connection
    if not _any_large(connection, large):
        return []
    found = weigh(connection, settings, suite, task.batch, Path(task.path))
    return [each for each in found if each.size_bytes is None or each.size_bytes >= large]


def _any_large(connection: psycopg.Connection[Any], large: int) -> bool:
    """Tell whether any table is so large; where somebody keeps one locked, as it was last seen."""
    query = read_query("large_tables.sql")
    try:
        with connection.transaction():
            connection.execute("set local lock_timeout = '500ms'")
            row = connection.execute(query, {"bytes": large, "exactly": True}).fetchone()
    except psycopg.errors.LockNotAvailable:
        row = connection.execute(query, {"bytes": large, "exactly": False}).fetchone()
    return row == (True,)


def _after(result: GateResult, task: Task, settings: Settings, suite: Suite) -> GateResult:
    """Say what is meant where a gate misses what a batch may be about to make."""
    if task.stood or not result.reason.partition(" at ")[0].endswith(_MISSING):
        return result
    (gate,) = (each for each in suite.gates if each.name == result.name)
    named = ", ".join([*gate.after, task.batch.name])
    where = f"{settings.relative(gate.path)}:{gate.header.line('after')}"
    fix = (
        f"Where {task.batch.name} makes it, give the gate `-- after: {named}`, at {where}; else put"
        " its statement right."
    )
    return replace(result, fix=fix)


def _told(result: GateResult) -> str:
    told = f"{result.name}: {result.state.value}"
    if result.state is State.FAILED and result.count is not None:
        return f"{told}, {counted(result.count, 'row')}"
    return f"{told}, {result.reason}" if result.reason else told


def _fix(failing: list[GateResult]) -> str:
    fixes = dict.fromkeys(result.fix for result in failing if result.fix)
    return "\n".join([*fixes, "batchgate check shows what the gates find."])
