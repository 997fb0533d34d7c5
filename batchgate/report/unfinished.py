"""What a run has to show before it has ended: no verdict."""

from markupsafe import Markup

from batchgate.report.drawing import style, template, title_of


def draw_unfinished(project: str, began: str) -> str:
    """Draw a page that stands in for a project's until its run has ended."""
    return template("unfinished.html").render(
        title=title_of(project), notice=draw_notice(began), style=style()
    )


def draw_notice(began: str = "") -> Markup:
    """Draw that a run has not finished, and when it began."""
    since = f"It began at {began}. " if began else ""
    return Markup(
        '<section id="verdict" class="bg-verdict warn" aria-labelledby="verdict-word">'
        '<h2 id="verdict-word"><i aria-hidden="true"></i>No verdict</h2>'
        '<p class="bg-reason">This run has not finished.</p>'
        "<p>{}Unless pytest still runs, it was killed: run it again.</p></section>"
    ).format(since)
