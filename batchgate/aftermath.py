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
from batchgate.outcomes.earlier import earlier_run
from batchgate.outcomes.history import extended
from batchgate.outcomes.metrics import write_metrics
from batchgate.outcomes.summary import SUMMARY, summary_of, write_summary
from batchgate.outputs import scrubber_of
from batchgate.results import RESULTS
from batchgate.run import Run
from batchgate.verdict import Verdict

REPORT = "report.json"
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
        # Read now: the run writes over the report that lies there.
        self._earlier = earlier_run(self._harness.settings, REPORT, config.rootpath.name)
        self._comparison: Comparison | None = None
        self._problems: list[SuiteError] = []
        self.document: dict[str, Any] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write everything down, before the terminal's summary tells of it."""
        self.document = document = self._document(int(exitstatus))
        if exitstatus == pytest.ExitCode.USAGE_ERROR and not self._config.stash[RESULTS].begun:
            # Nothing was run, and what an earlier run found is worth more.
            return
        self._look_back(document)
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
        """Say what is new since the run that was named to compare with, and what went wrong."""
        if self._harness.settings.compare:
            self._tell_news(terminalreporter)
        for problem in self._problems:
            terminalreporter.write_line(str(problem), red=True)

    def _look_back(self, document: dict[str, Any]) -> None:
        """Add what earlier runs counted and, where one asked the same, what is new since."""
        earlier = self._earlier.document
        document["history"] = extended(earlier, document["about"]["project"])
        if earlier is None:
            return
        alike = earlier["about"].get("command") == document["about"]["command"]
        if alike or self._harness.settings.compare:
            self._comparison = compare_documents(earlier, document)
            changes = [asdict(change) for change in self._comparison.changes]
            document["since"] = {"previous": self._comparison.previous, "changes": changes}
        # What an earlier run wrote knew nothing of this one's secrets.
        for name in ("history", "since"):
            document[name] = scrubbed(document[name], scrubber_of(self._config))

    def _tell_news(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("since the last run", sep="=")
        if self._comparison is None:
            terminalreporter.write_line(f"no earlier report: {self._earlier.why}", yellow=True)
            return
        lines = comparison_lines(self._comparison)
        for line in lines[:_SHOWN]:
            terminalreporter.write_line(line)
        if len(lines) > _SHOWN:
            terminalreporter.write_line(f"… and {len(lines) - _SHOWN} more in {SUMMARY}")

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
        return About(
            project=config.rootpath.name,
            started=self._started.isoformat(timespec="seconds"),
            seconds=monotonic() - self._clock,
            batchgate=version("batchgate"),
            python=platform.python_version(),
            exit_code=exit_code,
            described=harness.described,
            command=_command(config),
            limits=harness.terms.held_to,
            samples=harness.terms.manner.samples,
            snapshot_mode=harness.terms.mode,
            page=harness.settings.relative(Path(page)) if page else "",
            environment=_environment(config),
        )


def _environment(config: pytest.Config) -> dict[str, str]:
    """Return what a reader may be told of where it ran: no variable of a CI server is among it."""
    plugins = {
        distribution.name: distribution.version
        for _, distribution in config.pluginmanager.list_plugin_distinfo()
    }
    return {
        "Python": platform.python_version(),
        # Neither its release nor its build: they tell of a host, and a page is shown around.
        "Platform": f"{platform.system()} {platform.machine()}",
        "pytest": pytest.__version__,
        "Plugins": ", ".join(f"{name} {plugins[name]}" for name in sorted(plugins)),
    }


def _command(config: pytest.Config) -> str:
    """Return what pytest was asked to select; the other options are among the limits."""
    words = ["pytest"]
    for flag, name in (("-m", "markexpr"), ("-k", "keyword")):
        if value := config.getoption(name, ""):
            words += [flag, value]
    given = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    return shlex.join([*words, *given])
