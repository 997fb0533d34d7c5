"""Write all gates of the project as one psql script: `python -m batchgate.gatescript`."""

import click

from batchgate.cli.endings import Ended, ending_of
from batchgate.cli.project import read_project
from batchgate.errors import BatchgateError
from batchgate.outcomes.writing import replace_file
from batchgate.psqlgates import COMMAND, gate_script, script_batch
from batchgate.verdict import counted


@click.command(COMMAND, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Write all gates of this folder's project as one psql script.

    It becomes the validation.sql of the batch that has no migration, where that file is empty or
    was written by this command; what was written by hand is left alone. The gates run in one
    read-only transaction, with batchgate_search_path, and print counts, never rows.

    \b
    Exit codes:
      0  the script is written
      2  called wrongly
      4  the suite's files are wrong, there is no such batch, or the file cannot be written
    """
    try:
        project = read_project()
        settings, suite = project.settings, project.suite
        batch = script_batch(suite)
        path = batch.folder / "validation.sql"
        replace_file(path, gate_script(suite, batch, settings))
    except (BatchgateError, OSError) as error:
        raise Ended(str(error), ending_of(error)) from None
    click.echo(f"{settings.relative(path)}: {counted(len(suite.gates), 'gate')}")


if __name__ == "__main__":
    main()
