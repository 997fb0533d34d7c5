"""Gather what the reports of a run carry, from this process and from workers alike."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from batchgate.findings import Level
from batchgate.promises import promised_by
from batchgate.run import Application, CheckResult, GateResult, Run, TargetReport, TestResult
from batchgate.suite import Suite

CARRIED = "batchgate"
_FINAL = ("passed", "failed", "skipped")


_Place = tuple[str, int, str]


@dataclass(eq=False)
class Results:
    """What the reports said so far; plain dicts on the reports, typed values here."""

    config: pytest.Config
    gates: list[GateResult] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    applications: dict[str, Application] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    reds_failed: int = 0
    tests: list[tuple[_Place, TestResult]] = field(default_factory=list)
    _due: frozenset[str] = frozenset()
    _ended: set[str] = field(default_factory=set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep which tests are due: a run that is left early may still end with 0."""
        self._due = frozenset(item.nodeid for item in session.items)

    @property
    def begun(self) -> bool:
        """Return whether any test has ended."""
        return bool(self._ended)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Keep which tests are due where the workers alone know them."""
        self._due = frozenset(ids)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected: it is no test, and must not be missed."""
        if report.failed:
            self._keep(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one report; only what was carried and what was counted is kept."""
        if report.when not in ("setup", "call"):
            # A worker that crashed has no teardown to report, and says so in a word of its own.
            self._ended.add(report.nodeid)
        carried: dict[str, Any] = getattr(report, CARRIED, {})
        if report.outcome not in _FINAL:
            # A plugin has it run again: what it ended in this time does not count.
            carried = {name: carried[name] for name in carried.keys() & {"applied"}}
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
            self._keep(report)

    def _keep(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        word, *_ = self.config.hook.pytest_report_teststatus(report=report, config=self.config)
        path, line, _ = report.location or (report.nodeid, 0, "")
        test = TestResult(
            id=report.nodeid,
            outcome=_outcome(report),
            said=str(word or report.outcome),
            when=report.when or "",
            seconds=getattr(report, "duration", 0.0),
            text="" if report.passed else _text(report),
        )
        self.tests.append(((path, line or 0, report.nodeid), test))

    def run(self, suite: Suite, *, finished: bool, targets: Sequence[TargetReport] = ()) -> Run:
        """Return the run as the verdict reads it, in an order that no worker's pace changes."""
        promised = promised_by(suite)
        owed = tuple(f"{batch.name}/{check}" for batch in promised for check in batch.checks)
        order = {name: place for place, name in enumerate(owed)}
        return Run(
            gates=sorted(self.gates, key=lambda gate: (gate.target, gate.number)),
            targets=targets,
            checks=sorted(
                self.checks,
                key=lambda each: order.get(f"{each.batch}/{each.check}", len(order)),
            ),
            applications=sorted(self.applications.values(), key=lambda each: each.number),
            tests=[test for _, test in sorted(self.tests, key=lambda each: each[0])],
            promised=promised,
            gates_in_suite=tuple(gate.name for gate in suite.gates),
            required_in_suite=tuple(
                gate.name for gate in suite.gates if gate.level is Level.REQUIRED
            ),
            checks_in_suite=owed,
            counts=dict(self.counts),
            reds_failed=self.reds_failed,
            finished=finished and self._due <= self._ended,
        )


def _outcome(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return pytest's own word for how a test ended: an error is none of the test's."""
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    return "error" if report.failed and report.when != "call" else str(report.outcome)


def _text(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return what a test that did not pass has to say, and what it printed."""
    # Of a test that was skipped pytest keeps a file, a line and the reason. Its own rendering
    # would name the worker with the path of its Python.
    told = report.longrepr
    said = told[2] if isinstance(told, tuple) else str(told or "")
    if hasattr(report, "wasxfail"):
        reason = report.wasxfail.removeprefix("reason: ")
        said = f"expected to fail{': ' if reason else ''}{reason}\n{said}"
    sections = [f"{f' {name} ':-^80}\n{text}" for name, text in report.sections]
    return "\n".join((said, *sections)).strip("\n")


RESULTS = pytest.StashKey[Results]()
