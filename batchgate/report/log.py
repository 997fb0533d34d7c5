"""Draw the test log's own part: what is listed beside pytest-html's table, and its script."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from batchgate.outcomes.restoring import run_of
from batchgate.report.drawing import template, verbatim
from batchgate.report.entries import folds_of, log_of

# So many listed tests are laid out together, once they come into view.
_CHUNK = 50


def draw_log(document: Mapping[str, Any]) -> Markup:
    """Draw the tests that pytest-html's table does not hold, and what makes the table usable."""
    log = log_of(run_of(document))
    drawn = template("log.html").render(
        log=log,
        folds=folds_of(log.listed),
        unscripted=folds_of(log.table),
        chunk=_CHUNK,
        marked=_marked,
        style=verbatim("log.css"),
        script=verbatim("log.js"),
    )
    return Markup(drawn)


def _marked(text: str) -> Markup:
    """Escape what a test said, and mark the lines in which pytest says what was wrong."""
    lines = text.splitlines()
    marked = [Markup("<b>{}</b>").format(each) if each[:3] == "E  " else each for each in lines]
    return Markup("\n").join(marked)
