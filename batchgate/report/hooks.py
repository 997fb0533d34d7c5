"""The page's place in pytest-html: its public hooks, fed by a run's document."""

from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from batchgate.outcomes.restoring import run_of
from batchgate.report.drawing import title_of
from batchgate.report.unfinished import draw_notice

Document = Mapping[str, Any]


class PageHooks:
    """Draws a document into pytest-html's page, be it of the run that ends or of an earlier one.

    What pytest-html gathers by itself is left out: the rows of its table, too, are the document's.
    """

    def __init__(self, document: Callable[[], Document]) -> None:
        self._document = document
        self._report: Any = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Keep pytest-html's report, which it hands over here and nowhere else.

        Asked to, it writes a page after each test; such a page has no verdict.
        """
        self._report = report
        # It holds the variables of a CI server; what may be told of it is in the document.
        report.set_data("environment", {})
        report.additional_summary["prefix"].append(draw_notice())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Drop what tests attached: pytest-html draws it raw, and fails at some names of tests."""
        vars(report).pop("extras", None)

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_html_results_table_row(self, cells: list[str]) -> Generator[None, object, object]:
        """Leave no row to pytest-html: it does not escape what it keeps."""
        result = yield
        cells.clear()
        return result

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Draw everything; an exception here would cost the file."""
        # Imported once there is a verdict, which nobody should have to wait for.
        from batchgate.report.page import draw_failure, draw_summary

        document = self._document()
        try:
            self._fill(document)
            drawn = draw_summary(document)
        except Exception as error:
            drawn = draw_failure("This page", error)
        prefix[:] = [drawn]

    def _fill(self, document: Document) -> None:
        from batchgate.report.entries import log_of
        from batchgate.report.rows import HEADER, labels_of, rows_of

        table = log_of(run_of(document)).table
        self._report.title = title_of(document["about"]["project"])
        self._report.table_header = list(HEADER)
        self._report.set_data("tests", {"": rows_of(table)})
        self._report.set_data("initialSort", "rank")
        self._report.set_data("renderCollapsed", ["all"])
        self._report.outcomes.clear()
        self._report.outcomes.update(labels_of(table))
