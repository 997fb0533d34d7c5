"""Write down how a run ended and what schema it gave, for who compares several runs.

Loaded by ``-p batchgate.recorder`` alone; the file is named by BATCHGATE_RECORD.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from batchgate.catalog import take_snapshot
from batchgate.collect import HARNESS
from batchgate.errors import BatchgateError
from batchgate.harness import Harness
from batchgate.results import RESULTS
from batchgate.verdict import judge


class Recorder:
    """Keeps each test's word, and writes the record when the run ends."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._path = path
        self._words: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the word that the terminal shows for a test."""
        if report.when == "call" or report.outcome != "passed":
            word, *_ = self._config.hook.pytest_report_teststatus(
                report=report, config=self._config
            )
            self._words[report.nodeid] = word or str(report.outcome)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the record, while the server still stands."""
        harness = self._config.stash[HARNESS]
        finished = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        run = self._config.stash[RESULTS].run(harness.suite, finished=finished)
        schema = _schema(harness) if finished and self._words else {}
        record = {"verdict": str(judge(run)), "words": self._words, "schema": schema}
        self._path.write_text(json.dumps(record))


def _schema(harness: Harness) -> dict[str, dict[str, Any]]:
    """Return what stands at the height of each batch, as far as the batches apply."""
    heights: dict[str, dict[str, Any]] = {}
    for batch in harness.suite.batches:
        try:
            with (
                harness.heights.clone(batch, sample=False) as database,
                harness.heights.connect(database) as session,
            ):
                facts = take_snapshot(session).facts
        except BatchgateError:
            # The run's own checks have said that it does not apply.
            break
        heights[batch.name] = {
            f"{class_} {identity}": dict(attributes)
            for (class_, identity), attributes in facts.items()
        }
    return heights


def pytest_configure(config: pytest.Config) -> None:
    """Record the run of this process; its workers' reports arrive here, too."""
    path = os.environ.get("BATCHGATE_RECORD")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config, Path(path)), "batchgate-recorder")
