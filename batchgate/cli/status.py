"""`batchgate status`: which batches stand on a database, and how its schema differs from theirs."""

from typing import Any

import click

from batchgate.cli.endings import Ended, Ending, ending_of
from batchgate.cli.live import Live
from batchgate.cli.outlook import as_values, lines_of
from batchgate.cli.project import Project, read_project
from batchgate.cli.settings import arguments_of, with_settings
from batchgate.cli.sheet import Sheet
from batchgate.cli.streams import as_json as document_text
from batchgate.cli.streams import put
from batchgate.errors import BatchgateError
from batchgate.operate.sighting import Sighting, look
from batchgate.targets.secrets import secrets_in


@click.command(short_help="Say which batches stand, and what has drifted.")
@click.option("--no-drift", is_flag=True, help="Only ask which batches stand: no server is needed.")
@click.option("-v", "--verbose", is_flag=True, help="List everything, and the schemas' diff.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document on stdout.")
@with_settings("--dsn", "--pg-bin")
def status(no_drift: bool, verbose: bool, as_json: bool, **given: Any) -> None:
    """Say which batches stand on a database, and whether its schema is the one that they make.

    Reads only, in one read-only transaction; a replica and a role such as gate_reader will do.

    A batch stands where the `present` expression of its migration.sql is true. The batches that
    stand are applied, without rows, on a throw-away server of the database's major version; what
    the database lacks of that schema, has otherwise, or has on top of it on the batches' own
    tables, is drift. Other tables, extensions and grants to other roles are counted, and are no
    drift; nor are names of owners and what a database is tuned by.

    \b
    Exit codes:
      0    all is as the batches make it; with --no-drift: every batch answered
      1    there is drift, or it could not be looked at; a batch stands without what
           it requires, or gave no answer
      2    called wrongly
      3    a pooler stands before the server
      4    the suite's files or settings are wrong, or stdout cannot be written
      5    the database was not reached, or the connection was lost
      130  interrupted

    \b
    Examples:
      batchgate status --dsn postgresql://gate_reader@db.example/shop
      batchgate status --verbose
      batchgate status --no-drift --json
    """
    project = read_project(arguments_of(given))
    target = project.target()
    scrub = secrets_in([target.dsn.reveal()]).scrubber()
    sighting, message, ending = _seen(project, drift=not no_drift, shown=not as_json)
    if as_json:
        document = {
            "command": "status",
            "database": target.address,
            **(as_values(sighting) if sighting else {}),
            "message": message or None,
            "exit_code": int(ending),
        }
        put(document_text(document, scrub))
    elif sighting:
        _show(Sheet(scrub), sighting, verbose=verbose)
    if message:
        raise Ended(scrub(message), ending)
    raise click.exceptions.Exit(int(ending))


def _seen(project: Project, *, drift: bool, shown: bool) -> tuple[Sighting | None, str, Ending]:
    """Look; return what was seen, or what to say where nothing was, and how the command ends."""
    target = project.target()
    scrub = secrets_in([target.dsn.reveal()]).scrubber()
    shown = shown and project.settings.progress != 0
    try:
        with Live(shown=shown, scrub=scrub):
            sighting = look(target, project.settings, project.suite, drift=drift)
    except KeyboardInterrupt:
        return None, "interrupted: nothing was changed", Ending.INTERRUPTED
    except BatchgateError as error:
        return None, str(error), ending_of(error)
    return sighting, "", Ending.DONE if sighting.as_made else Ending.FAILED


def _show(sheet: Sheet, sighting: Sighting, *, verbose: bool) -> None:
    for line in lines_of(sighting, verbose=verbose):
        if line.heading:
            sheet.section(line.text)
        else:
            sheet.write_line(line.text, **{line.colour: True} if line.colour else {})
