"""`batchgate rollback`: take batches back on a database."""

from typing import Any

import click

from batchgate.cli.project import read_project
from batchgate.cli.settings import arguments_of, with_settings
from batchgate.cli.ways import (
    expect_word,
    one_of,
    way_of,
    with_asking,
    with_database,
    with_locks,
    with_output,
)
from batchgate.cli.work import Wish, fulfil
from batchgate.operate.plan import to_roll_back, to_roll_back_through
from batchgate.operate.standing import Standing
from batchgate.operate.task import Plan


@click.command()
@click.argument("batch", required=False)
@click.option(
    "--through",
    metavar="BATCH",
    help="Roll back all that stand, from the newest down to this one.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Run the same statements, and roll back.")
@with_database
@with_locks
@with_asking
@with_output
@with_settings("--pg-bin")
def rollback(batch: str | None, through: str | None, **given: Any) -> None:
    """Roll a batch back, or all down to one.

    Writes to the database that --dsn or BATCHGATE_DSN names, and asks first, with the sentence
    that rollback.sql opens with: what is lost. BATCH is the name, the number, the folder or a file
    of one.

    Refused, before anything is written: a batch that does not stand, that a standing one requires,
    or that is irreversible; and where apply is refused, too.

    \b
    Exit codes:
      0    rolled back, or tried out
      1    the file failed
      2    called wrongly
      3    refused, and nothing of that batch was changed
      4    the suite's files or settings are wrong, or stdout cannot be written
      5    the database was not reached, or the connection was lost
      130  interrupted

    \b
    Examples:
      batchgate rollback 3 --dry-run
      batchgate rollback --through 3 --yes
    """
    one_of(batch, through)
    expect_word(given)
    project = read_project(arguments_of(given))
    named = project.batch(batch or through or "")

    def choose(standing: Standing) -> Plan:
        if batch:
            return to_roll_back(project.suite, standing, named)
        return to_roll_back_through(project.suite, standing, named)

    fulfil(
        Wish(
            command="rollback",
            project=project,
            way=way_of(given),
            choose=choose,
            verb="Roll back",
            yes=given["yes"],
            accept_locks=given["accept_locks"],
            large=given["large"],
            as_json=given["as_json"],
        )
    )
