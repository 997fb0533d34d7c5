"""The gates of a suite on the databases that are named, as a run of pytest looks at them."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock, Thread
from time import monotonic

from batchgate.activity import Item
from batchgate.config import Settings
from batchgate.findings import Level
from batchgate.run import GateResult, Run
from batchgate.suite import Batch, Gate, Suite
from batchgate.targets.address import Target
from batchgate.targets.desk import FrontDesk
from batchgate.targets.keeper import Keeper
from batchgate.targets.terms import Terms
from batchgate.targets.visitor import Visitor, asked_by
from batchgate.verdict import fails

# Who is cut off from every server has nothing to wait for any more.
_LEFT_WITHIN = 3.0


class Inspection:
    """Gates on each target of a run, `jobs` at a time, and what is known of them so far.

    Each job has connections of its own; the snapshot that all of them see is the target's. Gates
    are begun in the suite's order, and results stand in it, whichever ended first.
    """

    def __init__(
        self,
        settings: Settings,
        suite: Suite,
        targets: Sequence[Target],
        terms: Terms,
        gates: Sequence[Gate],
        *,
        jobs: int = 1,
    ) -> None:
        self._settings = settings
        self._suite = suite
        self._work = [(gate, target) for gate in gates for target in targets]
        asked = [text for gate in suite.gates for text in asked_by(gate, self._needed_by(gate))]
        self._desk = FrontDesk([Keeper(target, terms, asked) for target in targets])
        self._visitors = [Visitor(self._desk, terms) for _ in self._work[:jobs]]
        self._turn = Lock()
        self._next = 0
        self._over = False
        self._at: dict[int, str] = {}
        self._results: dict[int, GateResult] = {}
        self._errors: dict[int, Exception] = {}

    @property
    def due(self) -> int:
        """Return how many results there are to be."""
        return len(self._work)

    @property
    def done(self) -> int:
        """Return how many there are."""
        return len(self._results)

    @property
    def at(self) -> tuple[str, ...]:
        """Return what is looked at now, or was when the run was interrupted, as results name it."""
        with self._turn:
            return tuple(self._at[number] for number in sorted(self._at))

    def make(self) -> None:
        """Run the gates; where that is interrupted, cancel on the servers what runs there.

        One of the jobs is the thread that calls: an interruption finds it wherever it waits.
        """
        others = [
            Thread(target=self._run_all, args=(visitor,), name=f"job {number}", daemon=True)
            for number, visitor in enumerate(self._visitors[1:], 2)
        ]
        try:
            for other in others:
                other.start()
            self._run_all(*self._visitors[:1])
            for other in others:
                other.join()
        except KeyboardInterrupt:
            self._interrupt(others)
            raise
        # A snapshot that is held for nothing is in someone's way.
        self._desk.release()
        for visitor in self._visitors:
            visitor.close()
        if self._errors:
            raise self._errors[min(self._errors)]

    def run(self) -> Run:
        """Return what is known, as the verdict reads it."""
        results = list(self._results.values())
        failing = sum(each.fails for each in results)
        counts = {"passed": len(results) - failing, "failed": failing}
        gates = self._suite.gates
        return Run(
            gates=sorted(results, key=lambda gate: (gate.target, gate.number)),
            targets=self._desk.reports(),
            gates_in_suite=tuple(gate.name for gate in gates),
            required_in_suite=tuple(gate.name for gate in gates if gate.level is Level.REQUIRED),
            counts={word: count for word, count in counts.items() if count},
            finished=len(results) == self.due,
        )

    def _run_all(self, visitor: Visitor) -> None:
        """Run one gate after the other until none is left, or none is wanted any more."""
        while (number := self._begun()) is not None:
            try:
                result = self._run(visitor, *self._work[number])
            except Exception as error:
                # One that began earlier may raise yet: what is raised is what one job would meet.
                self._errors[number] = error
                self._over = True
                return
            self._ended(number, result)

    def _begun(self) -> int | None:
        """Return the number of the gate that is next, or None."""
        with self._turn:
            number = self._next
            if self._over or number == self.due:
                return None
            self._next += 1
            gate, target = self._work[number]
            self._at[number] = f"gate {gate.name}{f' on {target.name}' if target.name else ''}"
            return number

    def _ended(self, number: int, result: GateResult) -> None:
        with self._turn:
            # What an interruption makes of a gate is no result of its own.
            if not self._over:
                self._results[number] = result
                del self._at[number]

    def _run(self, visitor: Visitor, gate: Gate, target: Target) -> GateResult:
        path = self._settings.relative(gate.path)
        with Item(path):
            result = visitor.run(target, gate, path, self._needed_by(gate))
        return replace(result, fails=fails(result, self._settings))

    def _needed_by(self, gate: Gate) -> Sequence[Batch]:
        return [self._suite.batch(name) for name in gate.after]

    def _interrupt(self, others: Sequence[Thread]) -> None:
        """Cancel what runs, cut off who waits for a server, and see the other jobs end."""
        with self._turn:
            self._over = True
        # All at once: a server that does not answer must not keep the others from it.
        acts = (self._desk.interrupt, *(each.abandon for each in self._visitors))
        ways = [Thread(target=act, daemon=True) for act in acts]
        for way in ways:
            way.start()
        until = monotonic() + _LEFT_WITHIN
        for thread in (*ways, *others):
            thread.join(max(until - monotonic(), 0.0))
