"""By which names links find batches and gates on the page."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batchgate.run import GateResult, Promised, Run

_NO_NAME = re.compile(r"[^0-9A-Za-z_-]+")


@dataclass(frozen=True)
class Anchors:
    """The place of each batch, and of each gate on each target; none is given twice."""

    batches: Mapping[str, str]
    gates: Mapping[tuple[str, int, str], str]

    def of_batch(self, name: str) -> str:
        """Return a batch's place, or nothing where it has none."""
        return self.batches.get(name, "")

    def of_gate(self, gate: GateResult) -> str:
        """Return a gate's place."""
        return self.gates[gate.name, gate.number, gate.target]


def anchors_of(run: Run, batches: Iterable[Promised]) -> Anchors:
    """Name the places after numbers, which stay as they are from run to run."""
    taken: set[str] = set()
    return Anchors(
        {each.name: _free(f"batch-{each.number}", taken) for each in batches},
        {
            (gate.name, gate.number, gate.target): _free(
                "-".join(filter(None, ("gate", _slug(gate.target), str(gate.number)))), taken
            )
            for gate in run.gates
        },
    )


def _slug(text: str) -> str:
    return _NO_NAME.sub("-", text).strip("-")


def _free(name: str, taken: set[str]) -> str:
    free, times = name, 1
    while free in taken:
        times += 1
        free = f"{name}-{times}"
    taken.add(free)
    return free
