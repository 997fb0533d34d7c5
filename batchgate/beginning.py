"""What a run does to the outcomes of the last one before its first test: it takes their verdict."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.invocation import drop_page
from batchgate.outcomes.summary import SUMMARY, write_summary
from batchgate.report.unfinished import draw_unfinished

_NOTICE = """\
## No verdict

This run has not finished. It began at {began}. Unless pytest still runs, it was killed: run it
again.
"""


class Beginning:
    """Replaces what people would read of the last run, once tests are about to run.

    A run that is killed writes nothing more, and must not leave an earlier one's verdict.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._summary = settings.reports / SUMMARY
        self._began = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._told = False
        given = config.getoption("htmlpath", None)
        # As pytest-html reads it.
        self._page = Path.cwd() / Path(os.path.expandvars(given)).expanduser() if given else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Tell it where this process runs the tests."""
        if session.items:
            self._tell()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """Tell it where workers do: none runs anything before all of them have collected."""
        self._tell()

    def _tell(self) -> None:
        if self._told:
            return
        self._told = True
        if self._page:
            self._write_page(self._page)
        # That it cannot be written is said at the end, when it is tried again.
        with suppress(SuiteError):
            write_summary(_NOTICE.format(began=self._began), self._summary)

    def _write_page(self, page: Path) -> None:
        try:
            page.write_text(
                draw_unfinished(self._config.rootpath.name, self._began), encoding="utf-8"
            )
        except OSError as error:
            drop_page(self._config)
            raise pytest.UsageError(
                f"{page}: expected to write the page, found: {error.strerror or error}\n"
                "  fix: Name a file in a folder that this user may write to."
            ) from None
