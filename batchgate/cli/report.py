"""`batchgate report`: draw the page of an earlier run again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from batchgate.cli.streams import leave, put
from batchgate.errors import SuiteError
from batchgate.outcomes.reading import read_document
from batchgate.outcomes.restoring import comparison_of, problem_of
from batchgate.outcomes.summary import summary_of, write_summary
from batchgate.outcomes.writing import replace_file
from batchgate.report.redraw import draw_page

_PAGE = "report.html"


@click.command(short_help="Draw the page of an earlier run again.")
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
    if problem := problem_of(document):
        raise _unfit(file, document, problem)
    # Both are made before either is written.
    drawn, summed_up = draw_page(document), _summed_up(file, document) if summary else ""
    replace_file(page, drawn)
    written = [f"page: {page}"]
    if summary:
        write_summary(summed_up, summary)
        written.append(f"summary: {summary}")
    leave("\n".join(written))
    put("\n".join(written))


def _keep_apart(files: Mapping[str, Path | None]) -> None:
    """Refuse to write over the report, or two outcomes to one file; there is no `-`."""
    taken: set[Path] = set()
    for name, path in files.items():
        if path is None:
            continue
        if path.name == "-" or path.resolve() in taken:
            raise click.BadParameter("expected a file of its own", param_hint=name)
        taken.add(path.resolve())


def _summed_up(file: Path, document: Mapping[str, Any]) -> str:
    """Return the summary; it needs more of a document than the page does."""
    try:
        return summary_of(document, comparison_of(document))
    except KeyError as error:
        raise _unfit(file, document, f"no {error} for the summary") from None


def _unfit(file: Path, document: Mapping[str, Any], found: str) -> SuiteError:
    return SuiteError(
        f"{file}: expected a report of version {document['schema_version']}, found {found}",
        fix="Take the file as batchgate wrote it, unedited and whole.",
    )
