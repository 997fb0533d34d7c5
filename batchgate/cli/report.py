"""`batchgate report`: draw the page of an earlier run again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from batchgate.errors import SuiteError
from batchgate.outcomes.reading import read_document
from batchgate.outcomes.restoring import about_of, comparison_of, run_of, verdict_of
from batchgate.outcomes.summary import summary_of, write_summary
from batchgate.outcomes.writing import replace_file
from batchgate.report.redraw import draw_page

_PAGE = "report.html"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PAGE",
    help="Where to write the page.  [default: report.html beside FILE]",
)
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    metavar="MARKDOWN",
    help="Write the run's summary.md again, too, to this file.",
)
def report(file: Path, output: Path | None, summary: Path | None) -> None:
    """Draw the page of the run that wrote FILE, its report.json, again.

    Nothing is run, and neither the suite nor a server is needed. The page is the one that the run
    left; a file that is already there is replaced at once and whole.

    \b
    Exit codes:
      0  the page is drawn, whatever its verdict is
      2  called wrongly
      4  FILE cannot be read or is no report, or a file cannot be written

    \b
    Examples:
      batchgate report reports/report.json
      batchgate report nightly.json --output nightly.html --summary nightly.md
    """
    page = output or file.with_name(_PAGE)
    _keep_apart({"FILE": file, "--output": page, "--summary": summary})
    document = read_document(file)
    _check(file, document)
    replace_file(page, draw_page(document))
    click.echo(f"page: {page}")
    if summary:
        write_summary(summary_of(document, comparison_of(document)), summary)
        click.echo(f"summary: {summary}")


def _keep_apart(files: Mapping[str, Path | None]) -> None:
    """Refuse to write over the report, or two outcomes to one file; there is no `-`."""
    taken: set[Path] = set()
    for name, path in files.items():
        if path is None:
            continue
        if path.name == "-" or path.resolve() in taken:
            raise click.BadParameter("expected a file of its own", param_hint=name)
        taken.add(path.resolve())


def _check(file: Path, document: Mapping[str, Any]) -> None:
    """Refuse a document that is not as it was written; more of it is drawn than is compared."""
    try:
        run_of(document), verdict_of(document), about_of(document), comparison_of(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SuiteError(
            f"{file}: expected a report of version {document['schema_version']}, found a part that"
            f" cannot be read ({type(error).__name__}: {error})",
            fix="Take the file as batchgate wrote it, unedited and whole.",
        ) from None
