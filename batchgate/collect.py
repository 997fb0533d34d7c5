"""The artifacts are the tests: SQL files become pytest items."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from batchgate.errors import BatchgateError
from batchgate.findings import State
from batchgate.gates.run import blank_result, run_gate
from batchgate.gates.words import refusal
from batchgate.harness import Harness
from batchgate.particulars import Particulars
from batchgate.promises import owed_by
from batchgate.redproof import Proof, not_red, try_red
from batchgate.rehearsal.evidence import Check, Evidence
from batchgate.run import CheckResult, GateResult
from batchgate.script import Script
from batchgate.suite import Batch, Gate
from batchgate.targets.address import Target
from batchgate.verdict import fails

HARNESS = pytest.StashKey[Harness]()


def file_for(path: Path, parent: pytest.Collector, harness: Harness) -> pytest.File | None:
    """Return the collector of a batch's or a gate's file; None for any other file."""
    if path.suffix != ".sql":
        return None
    real = path.resolve()
    for batch in harness.suite.batches:
        if real.parent == _real(batch.folder) and real.name in owed_by(batch, harness.suite):
            return BatchFile.from_parent(parent, path=path, batch=batch)
    for gate in harness.suite.gates:
        if real in (_real(gate.path), _real(gate.red)):
            return GateFile.from_parent(parent, path=path, gate=gate)
    return None


@cache
def _real(path: Path) -> Path:
    """Return where a path of the suite leads, which is asked for each file that pytest meets."""
    return path.resolve()


class BatchFile(pytest.File):
    """One file of a batch: an item for each thing it has to prove."""

    def __init__(self, *, batch: Batch, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.batch = batch

    def collect(self) -> Iterator[pytest.Item]:
        """Read the file, then yield its checks."""
        harness = self.config.stash[HARNESS]
        try:
            Script(self.path, harness.settings.root)
        except BatchgateError as error:
            raise self.CollectError(str(error)) from None
        owed = owed_by(self.batch, harness.suite)[self.path.name]
        for name, check in owed.items():
            yield BatchItem.from_parent(self, name=name, batch=self.batch, check=check)


class GateFile(pytest.File):
    """A gate, on each target where there are any, or the red proof of one."""

    def __init__(self, *, gate: Gate, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.gate = gate

    def collect(self) -> Iterator[pytest.Item]:
        """Yield what the file has to prove."""
        if self.path.name == self.gate.red.name:
            yield RedItem.from_parent(self, name="red", gate=self.gate)
            return
        for target in self.config.stash[HARNESS].targets or (None,):
            name = f"green[{target.name}]" if target and target.name else "green"
            yield GateItem.from_parent(self, name=name, gate=self.gate, target=target)


class ArtifactItem(pytest.Item):
    """An item made from a file rather than from a function."""

    def __init__(self, *, markers: tuple[str, ...] = (), line: int = 1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._line = line
        for marker in markers:
            self.add_marker(marker)

    @property
    def harness(self) -> Harness:
        """Return the run this item belongs to."""
        return self.config.stash[HARNESS]

    @property
    def shown_path(self) -> str:
        """Return the item's file as messages print it."""
        return self.harness.settings.relative(self.path)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Tell pytest where the item stands."""
        return self.path, self._line - 1, f"{self.shown_path}: {self.name}"

    def outcome(self, seconds: float, error: BaseException | None) -> dict[str, Any]:
        """Return what the report is to know of this item, as plain values."""
        raise NotImplementedError

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """Say a user's error by its message alone; a programmer's with its traceback."""
        if isinstance(excinfo.value, BatchgateError):
            return excinfo.getrepr(style="value", chain=False)
        return super().repr_failure(excinfo, *args)


class BatchItem(ArtifactItem):
    """One check of one batch's file."""

    def __init__(self, *, batch: Batch, check: Check, **arguments: Any) -> None:
        super().__init__(markers=("batches", *check.markers), **arguments)
        self.batch = batch
        self._check = check
        self._evidence = Evidence()

    def runtest(self) -> None:
        """Run the check on databases of its own."""
        self._evidence = self._check.prove(self.harness.heights, self.batch)

    def outcome(self, seconds: float, error: BaseException | None) -> dict[str, Any]:
        """Return the check's result."""
        message = error.message if isinstance(error, BatchgateError) else None
        result = CheckResult(
            batch=self.batch.name,
            check=f"{self.path.name}::{self.name}",
            state=self._state(error),
            seconds=seconds,
            headline=message.headline if message else str(error or "").partition("\n")[0],
            fix=message.fix if message else "",
            notes=self._evidence.notes or (tuple(message.rows) if message else ()),
            unexercised=self._evidence.unexercised,
            particulars=self._particulars(error),
        )
        return {"check": result.as_dict()}

    def _particulars(self, error: BaseException | None) -> Particulars:
        if isinstance(error, BatchgateError):
            return error.particulars
        return self._evidence.particulars

    def _state(self, error: BaseException | None) -> State:
        if error is not None:
            return State.FAILED
        return State.NOT_EXERCISED if self._evidence.unexercised else State.PASSED


class GateItem(ArtifactItem):
    """A gate, run on a target, or at the top of all batches over the sample data."""

    def __init__(self, *, gate: Gate, target: Target | None = None, **arguments: Any) -> None:
        super().__init__(markers=("gates",), line=gate.line, **arguments)
        self.gate = gate
        self.target = target
        self.result: GateResult | None = None

    def runtest(self) -> None:
        """Run the gate; raise where its result fails the run."""
        ended = self._on_target(self.target) if self.target else self._on_sample()
        self.result = replace(ended, fails=fails(ended, self.harness.settings))
        self.user_properties += _properties(self.result)
        if self.result.fails:
            raise refusal(self.result, self.harness.terms.manner.samples)

    def _on_target(self, target: Target) -> GateResult:
        harness = self.harness
        needed = harness.needed_by(self.gate)
        return harness.visitor.run(target, self.gate, self.shown_path, needed)

    def _on_sample(self) -> GateResult:
        harness = self.harness
        with (
            harness.heights.clone(harness.top) as database,
            harness.heights.connect(database) as session,
        ):
            needed = harness.needed_by(self.gate)
            return run_gate(session, self.gate, self.shown_path, needed, harness.terms.manner)

    def outcome(self, seconds: float, error: BaseException | None) -> dict[str, Any]:
        """Return the gate's result; an error where it did not get as far as one."""
        result = self.result or replace(
            blank_result(self.gate, self.shown_path),
            target=self.target.name if self.target else "",
            seconds=seconds,
            fix=error.message.fix if isinstance(error, BatchgateError) else self.gate.fix,
            reason=str(error or "").partition("\n")[0],
            fails=error is not None,
        )
        return {"gate": result.as_dict()}


def _properties(result: GateResult) -> list[tuple[str, str]]:
    """Return what JUnit's readers are told of a gate beside its outcome."""
    told = {
        "gate_level": result.level,
        "gate_state": result.state,
        "gate_count": "" if result.count is None else result.count,
        "gate_cause": result.cause,
        "gate_reason": result.reason,
        "gate_target": result.target,
    }
    return [(name, str(value)) for name, value in told.items()]


class RedItem(ArtifactItem):
    """The proof that a gate is able to fail: the smallest damage turns it red."""

    def __init__(self, *, gate: Gate, **arguments: Any) -> None:
        super().__init__(markers=("gates",), **arguments)
        self.gate = gate

    def runtest(self) -> None:
        """Do the damage over the sample data; where that holds findings already, without it."""
        proof = self._try(sample=True)
        if not proof.red and not (proof.before and self._try(sample=False).red):
            raise not_red(self.gate, self.shown_path, proof)

    def _try(self, *, sample: bool) -> Proof:
        harness = self.harness
        with (
            harness.heights.clone(harness.top, sample=sample) as database,
            harness.heights.connect(database) as session,
        ):
            needed = harness.needed_by(self.gate)
            limits = harness.terms.manner.limits
            return try_red(session, self.gate, self.shown_path, needed, limits)

    def outcome(self, seconds: float, error: BaseException | None) -> dict[str, Any]:
        """Return whether the gate was seen red."""
        return {"red": {"gate": self.gate.name, "passed": error is None}}
