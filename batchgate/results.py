"""Gather what the reports of a run carry, from this process and from workers alike."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from batchgate.findings import Level
from batchgate.rehearsal.checks import checks_of
from batchgate.suite import Suite
from batchgate.verdict import Application, CheckResult, GateResult, Run, TargetReport

CARRIED = "batchgate"


@dataclass(eq=False)
class Results:
    """What the reports said so far; plain dicts on the reports, typed values here."""

    gates: list[GateResult] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    applications: dict[str, Application] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    reds_failed: int = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one report; only what was carried and what was counted is kept."""
        carried: dict[str, Any] = getattr(report, CARRIED, {})
        if "gate" in carried:
            self.gates.append(GateResult.from_dict(carried["gate"]))
        if "check" in carried:
            self.checks.append(CheckResult.from_dict(carried["check"]))
        if "red" in carried:
            self.reds_failed += not carried["red"]["passed"]
        for plain in carried.get("applied", ()):
            self.applications.setdefault(plain["batch"], Application(**plain))
        if report.when == "call" or report.outcome != "passed":
            word = "error" if report.failed and report.when != "call" else report.outcome
            self.counts[word] += 1

    def run(self, suite: Suite, *, finished: bool, targets: Sequence[TargetReport] = ()) -> Run:
        """Return the run as the verdict reads it."""
        return Run(
            gates=sorted(self.gates, key=lambda gate: (gate.target, gate.number)),
            targets=targets,
            checks=tuple(self.checks),
            applications=sorted(self.applications.values(), key=lambda each: each.number),
            gates_in_suite=tuple(gate.name for gate in suite.gates),
            required_in_suite=tuple(
                gate.name for gate in suite.gates if gate.level is Level.REQUIRED
            ),
            checks_in_suite=tuple(
                f"{batch.name}/{file}::{check}"
                for batch in suite.batches
                for file, checks in checks_of(batch, suite).items()
                for check in checks
            ),
            counts=dict(self.counts),
            reds_failed=self.reds_failed,
            finished=finished,
        )


RESULTS = pytest.StashKey[Results]()
