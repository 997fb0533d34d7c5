"""The gates that must pass before a batch is applied, on the operator's own connection."""

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from batchgate.activity import Item
from batchgate.config import Settings
from batchgate.findings import Level
from batchgate.gates.run import Manner, Within, run_gate
from batchgate.run import GateResult
from batchgate.suite import Batch, Gate, Suite
from batchgate.verdict import fails


def required_gates(suite: Suite, batch: Batch) -> tuple[Gate, ...]:
    """Return the required gates over what a batch builds on.

    Those are the gates whose own batches are all among the ones that it requires, directly or by
    another; what an unrelated batch brought is no concern of this one.
    """
    below = _required_by(suite, batch)
    return tuple(
        gate
        for gate in suite.gates
        if gate.level is Level.REQUIRED and below.issuperset(gate.after)
    )


def run_gates(
    connection: psycopg.Connection,
    gates: Sequence[Gate],
    suite: Suite,
    settings: Settings,
    manner: Manner,
) -> list[GateResult]:
    """Run gates in turn on an open connection in autocommit mode; return how each ended.

    Each has a read-only transaction of its own, held to the limits. `fails` of a result says that
    it does not let the batch pass: not exercised is no pass, unless --allow-empty.
    """
    results = []
    for gate in gates:
        path = settings.relative(gate.path)
        after = [suite.batch(name) for name in gate.after]
        with Item(path):
            # Others may change tables meanwhile: a result that was read off two of them is none.
            result = run_gate(connection, gate, path, after, manner, Within(shifts=True))
        results.append(replace(result, fails=fails(result, settings)))
    return results


def _required_by(suite: Suite, batch: Batch) -> set[str]:
    found: set[str] = set()
    names = list(batch.requires)
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += suite.batch(name).requires
    return found
