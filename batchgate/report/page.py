"""Draw the reviewer's page into pytest-html's, through its public hooks."""

from collections.abc import Mapping
from traceback import format_exception
from typing import Any

from markupsafe import Markup

from batchgate.findings import MASK
from batchgate.outcomes.restoring import verdict_of
from batchgate.report.drawing import style, template, text_of, verbatim
from batchgate.report.log import draw_log
from batchgate.report.model import Page, page_of
from batchgate.whereabouts import GRANTS

# More to attend to is folded, and so are more lines of SQL in a fix of it.
_POINTS, _LINES = 15, 6


def draw_summary(document: Mapping[str, Any]) -> Markup:
    """Draw a document: the verdict, what blocks, the batches, the gates and the test log.

    What cannot be drawn says so in its place: an exception here would cost the file.
    """
    try:
        log = draw_log(document)
    except Exception as error:
        log = draw_failure("The test log", error)
    try:
        return _drawn(page_of(document), log)
    except Exception as error:
        return draw_failure("This page", error, str(verdict_of(document))) + log


def draw_strictly(document: Mapping[str, Any]) -> Markup:
    """Draw a document, or raise what keeps it from being drawn."""
    return _drawn(page_of(document), draw_log(document))


def _drawn(page: Page, log: Markup) -> Markup:
    drawn = template("page.html").render(
        page=page,
        log=log,
        style=style(),
        early=verbatim("early.js"),
        late=verbatim("page.js"),
        mask=MASK,
        shown_points=_POINTS,
        brief_lines=_LINES,
        grants_title=GRANTS.capitalize(),
    )
    return Markup(drawn)


def draw_failure(what: str, error: Exception, verdict: str = "") -> Markup:
    """Draw what stands in the place of what could not be drawn; of a page, with its verdict."""
    trace = "".join(format_exception(error))
    place = ' id="verdict"' if verdict else ""
    told = f"<p>The verdict of the run: {text_of(verdict)}.</p>" if verdict else ""
    return Markup(
        f"<style>{style()}</style>"
        f'<section{place} class="bg-verdict bad"><h2>{what} could not be drawn</h2>{told}'
        "<p>The terminal's output is complete; below is what went wrong while drawing.</p>"
        f'<pre class="bg-trace">{text_of(trace)}</pre></section>'
    )
