"""Draw the reviewer's page into pytest-html's, through its public hooks."""

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from batchgate.findings import CELL_LIMIT, MASK, State
from batchgate.gates.rows import SAMPLE
from batchgate.report.model import Page, page_of
from batchgate.report.proofs import Promised
from batchgate.report.words import visible
from batchgate.verdict import Run, Verdict
from batchgate.whereabouts import GRANTS, is_statement

_HERE = Path(__file__).parent
_ALLOWED = ("Python", "Platform", "Packages", "Plugins")


def draw_summary(
    run: Run,
    verdict: Verdict,
    described: str,
    promised: Sequence[Promised] = (),
    samples: int = SAMPLE,
) -> str:
    """Draw the verdict, what blocks, the batches and the gates.

    A page that cannot be drawn says so in their place: an exception here would cost the file.
    """
    try:
        return _drawn(page_of(run, verdict, described, promised), samples)
    except Exception as error:
        return _broken(str(verdict), error)


def draw_row(report: pytest.TestReport | pytest.CollectReport, cells: list[str]) -> None:
    """Replace the cells of a test's row by ones whose text is escaped, as many as there were.

    A row that another plugin emptied to hide it stays hidden.
    """
    try:
        cells[:] = [_cell(report, cell) for cell in cells]
    except Exception as error:
        said = f"{report.nodeid}: this row could not be drawn: {type(error).__name__}: {error}"
        cells[:] = [_td("testId", said) if "col-testId" in cell else cell for cell in cells]


def prepare_page(report: Any, title: str) -> None:
    """Name the page, keep its environment to what is allowed, and its counts to the truth.

    `report` is what pytest-html hands to `pytest_html_report_title`. It counts a warned gate
    as passed, since that is its outcome.
    """
    report.title = str(visible(title))
    report.set_data("environment", allowed_metadata(report.data["environment"]))
    report.outcomes["passed"]["label"] = "Passed or warned"


def allowed_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page may tell of the environment, escaped: pytest-html draws it raw.

    Everything else is left out, since pytest-metadata adds the variables of a CI server.
    """
    return {key: _escaped(metadata[key]) for key in _ALLOWED if key in metadata}


def _escaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_text(key): _escaped(each) for key, each in value.items()}
    return _text(value)


def _text(value: object) -> str:
    return escape(str(visible(str(value))))


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["statement"] = is_statement
    return environment.get_template("page.html")


def _drawn(page: Page, samples: int) -> str:
    return _template().render(
        page=page,
        style=_style(),
        mask=MASK,
        sample=samples,
        cell_limit=CELL_LIMIT,
        grants_title=GRANTS.capitalize(),
    )


def _style() -> Markup:
    return Markup((_HERE / "style.css").read_text(encoding="utf-8"))


def _broken(verdict: str, error: Exception) -> str:
    trace = "".join(format_exception(error))
    return (
        f"<style>{_style()}</style>"
        '<section id="verdict" class="bg-verdict bad"><h2>This page could not be drawn</h2>'
        f'<p class="bg-reason">The verdict of the run: {_text(verdict)}.</p>'
        f"<p>The terminal's output is complete; below is what went wrong while drawing.</p>"
        f'<pre class="bg-trace">{_text(trace)}</pre></section>'
    )


def _cell(report: pytest.TestReport | pytest.CollectReport, cell: str) -> str:
    if "col-result" in cell:
        return _result_cell(report, cell)
    if "col-testId" in cell:
        when = "" if report.when == "call" else f"::{report.when}"
        return _td("testId", f"{report.nodeid}{when}")
    return _links_cell(report) if "col-links" in cell else cell


def _result_cell(report: pytest.TestReport | pytest.CollectReport, cell: str) -> str:
    """Say how a gate ended where pytest's outcome does not.

    pytest-html filters by the cell's text, which it takes from what follows the first `>`, and
    knows only pytest's outcomes: the attribute keeps the row among them, the text tells it apart.
    """
    gate = getattr(report, "batchgate", {}).get("gate") if report.when == "call" else None
    if not gate:
        return cell
    state = State(gate["state"])
    if state in (State.PASSED, State.FAILED) or (state is State.WARNED and report.failed):
        return cell
    outcome = str(report.outcome).capitalize()
    word = str(state).capitalize()
    return f'<td class="col-result" data-outcome=">{outcome}</td>">{word}</td>'


def _links_cell(report: pytest.TestReport | pytest.CollectReport) -> str:
    links = [
        f'<a target="_blank" class="col-links__extra {_text(extra["format_type"])}"'
        f' href="{_text(extra["content"])}">{_text(extra["name"])}</a>'
        for extra in getattr(report, "extras", ())
        if extra["format_type"] in ("json", "text", "url")
        and str(extra["content"]).startswith(("http://", "https://", "data:"))
    ]
    return f'<td class="col-links">{"".join(links)}</td>'


def _td(column: str, text: str) -> str:
    return f'<td class="col-{column}">{_text(text)}</td>'
