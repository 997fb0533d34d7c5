"""`batchgate validate`: run the validations of batches on a database."""

from collections.abc import Sequence
from typing import Any

import click

from batchgate.cli.project import read_project
from batchgate.cli.settings import arguments_of
from batchgate.cli.ways import way_of, with_database, with_locks, with_output
from batchgate.cli.work import Wish, fulfil
from batchgate.operate.plan import to_validate


@click.command()
@click.argument("batches", nargs=-1, metavar="[BATCH]...")
@with_database
@with_locks
@with_output
def validate(batches: Sequence[str], **given: Any) -> None:
    """Run the validations of batches, or of all that stand.

    Leaves the database as it is: a validation tries out in a transaction that is rolled back. It
    needs a server that takes writes all the same. One that fails does not keep the others from
    being run. BATCH is the name, the number, the folder or a file of one; a batch that is named is
    validated whether it stands or not.

    \b
    Exit codes:
      0    all passed
      1    a validation failed, or printed a failure
      2    called wrongly
      3    refused: another run is at work, a batch has no validation, a standby, a pooler
      4    the suite's files or settings are wrong, or stdout cannot be written
      5    the database was not reached, or the connection was lost
      130  interrupted

    \b
    Examples:
      batchgate validate
      batchgate validate 3 05_add_integrity_indexes --json
    """
    project = read_project(arguments_of(given))
    # Each once, in the order in which they are named.
    named = list({batch.name: batch for batch in map(project.batch, batches)}.values())
    fulfil(
        Wish(
            command="validate",
            project=project,
            way=way_of(given),
            choose=lambda standing: to_validate(project.suite, standing, named),
            as_json=given["as_json"],
            goes_on=True,
        )
    )
