"""The gates of a suite on the databases that are named, as a run of pytest looks at them."""

from collections.abc import Sequence
from dataclasses import replace

from batchgate.activity import Item
from batchgate.findings import Level
from batchgate.harness import Harness
from batchgate.run import GateResult, Run
from batchgate.suite import Gate
from batchgate.targets.address import Target
from batchgate.verdict import fails


class Inspection:
    """Gates on each target of a run, one after the other, and what is known of them so far.

    `at` is what is looked at now, as it is named in results.
    """

    def __init__(self, harness: Harness, gates: Sequence[Gate]) -> None:
        self._harness = harness
        self._gates = gates
        self.results: list[GateResult] = []
        self.at = ""

    @property
    def due(self) -> int:
        """Return how many results there are to be."""
        return len(self._gates) * len(self._harness.targets)

    def make(self) -> None:
        """Run the gates; where that is interrupted, cancel on the servers what runs there."""
        try:
            for gate in self._gates:
                for target in self._harness.targets:
                    self._run(gate, target)
        except KeyboardInterrupt:
            self._harness.desk.interrupt()
            raise
        finally:
            # A snapshot that is held for nothing is in someone's way.
            self._harness.desk.release()

    def run(self) -> Run:
        """Return what is known, as the verdict reads it."""
        suite, results = self._harness.suite, self.results
        failing = sum(each.fails for each in results)
        counts = {"passed": len(results) - failing, "failed": failing}
        return Run(
            gates=sorted(results, key=lambda gate: (gate.target, gate.number)),
            targets=self._harness.desk.reports(),
            gates_in_suite=tuple(gate.name for gate in suite.gates),
            required_in_suite=tuple(
                gate.name for gate in suite.gates if gate.level is Level.REQUIRED
            ),
            counts={word: count for word, count in counts.items() if count},
            finished=len(results) == self.due,
        )

    def _run(self, gate: Gate, target: Target) -> None:
        harness = self._harness
        path = harness.settings.relative(gate.path)
        self.at = f"gate {gate.name}{f' on {target.name}' if target.name else ''}"
        with Item(path):
            result = harness.visitor.run(target, gate, path, harness.needed_by(gate))
        self.results.append(replace(result, fails=fails(result, harness.settings)))
