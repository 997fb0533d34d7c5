"""What a run leaves for machines: report.json, summary.md, metrics, and what is new since."""

import os
import platform
import shlex
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from batchgate.collect import HARNESS
from batchgate.errors import SuiteError
from batchgate.harness import Harness
from batchgate.outcomes.compare import Comparison, compare_documents, comparison_lines
from batchgate.outcomes.document import (
    About,
    document_of,
    scrubbed,
    write_document,
)
from batchgate.outcomes.metrics import write_metrics
from batchgate.outcomes.reading import read_document
from batchgate.outcomes.summary import summary_of, write_summary
from batchgate.outputs import scrubber_of
from batchgate.report.promises import promised_by
from batchgate.verdict import Run, Verdict

REPORT, SUMMARY = "report.json", "summary.md"
_SHOWN = 20

Concluded = Callable[[pytest.Config, int], tuple[Run, Verdict]]


class Aftermath:
    """Writes the run down when it ends; an earlier report is read before it is written over."""

    def __init__(self, config: pytest.Config, concluded: Concluded) -> None:
        self._config = config
        self._concluded = concluded
        self._harness: Harness = config.stash[HARNESS]
        self._started = datetime.now(UTC)
        self._clock = monotonic()
        compare = self._harness.settings.compare
        # A job's first run has no earlier one; a link that leads nowhere is a mistake.
        self._absent = compare if compare and not os.path.lexists(compare) else None
        self._previous = read_document(compare) if compare and not self._absent else None
        self._comparison: Comparison | None = None
        self._problems: list[SuiteError] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write everything down, before the terminal's summary tells of it."""
        if exitstatus == pytest.ExitCode.USAGE_ERROR:
            # Nothing was run, and what an earlier run found is worth more.
            return
        document = self._document(int(exitstatus))
        if self._previous:
            self._comparison = compare_documents(self._previous, document)
        reports, metrics = self._harness.settings.reports, self._harness.settings.metrics
        self._write(lambda: write_document(document, reports / REPORT))
        if metrics:
            self._write(lambda: write_metrics(document, metrics))
        summary = summary_of(document, self._comparison)
        github = os.environ.get("GITHUB_STEP_SUMMARY")
        self._write(lambda: write_summary(summary, reports / SUMMARY, github))
        if self._problems and exitstatus == pytest.ExitCode.OK:
            # Whoever waits for a file that was not written must not take this for a success.
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what is new since the run that this one is compared with, and what went wrong."""
        if self._absent or self._comparison:
            terminalreporter.section("since the last run", sep="=")
        if self._absent:
            shown = self._harness.settings.relative(self._absent)
            terminalreporter.write_line(f"no earlier report: {shown}", yellow=True)
        if self._comparison:
            lines = comparison_lines(self._comparison)
            for line in lines[:_SHOWN]:
                terminalreporter.write_line(line)
            if len(lines) > _SHOWN:
                terminalreporter.write_line(f"… and {len(lines) - _SHOWN} more in {SUMMARY}")
        for problem in self._problems:
            terminalreporter.write_line(str(problem), red=True)

    def _write(self, act: Callable[[], object]) -> None:
        try:
            act()
        except SuiteError as error:
            self._problems.append(error)

    def _document(self, exit_code: int) -> dict[str, Any]:
        run, verdict = self._concluded(self._config, exit_code)
        document = document_of(run, verdict, self._about(exit_code))
        shown: dict[str, Any] = scrubbed(document, scrubber_of(self._config))
        return shown

    def _about(self, exit_code: int) -> About:
        harness, config = self._harness, self._config
        page = config.getoption("htmlpath", None)
        manner = harness.terms.manner
        cost = {"max_cost": f"{manner.max_cost:g}"} if manner.max_cost is not None else {}
        lag = {"max_lag": harness.terms.max_lag.text} if harness.terms.max_lag else {}
        wait = {"max_replay_wait": f"{harness.terms.max_replay_wait:g}s"}
        return About(
            project=config.rootpath.name,
            started=self._started.isoformat(timespec="seconds"),
            seconds=monotonic() - self._clock,
            batchgate=version("batchgate"),
            python=platform.python_version(),
            exit_code=exit_code,
            described=harness.described,
            command=_command(config),
            limits={**asdict(manner.limits), **wait, **cost, **lag},
            samples=manner.samples,
            snapshot_mode="per-gate" if harness.terms.per_gate else "shared",
            page=harness.settings.relative(Path(page)) if page else "",
            batches=promised_by(harness.suite),
        )


def _command(config: pytest.Config) -> str:
    """Return what pytest was asked to select; the other options are among the limits."""
    words = ["pytest"]
    for flag, name in (("-m", "markexpr"), ("-k", "keyword")):
        if value := config.getoption(name, ""):
            words += [flag, value]
    given = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    return shlex.join([*words, *given])
