"""`batchgate apply`: run the migrations of batches on a database."""

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
from batchgate.operate.plan import to_apply, to_apply_through
from batchgate.operate.standing import Standing
from batchgate.operate.task import Plan


@click.command()
@click.argument("batch", required=False)
@click.option("--through", metavar="BATCH", help="Apply all that do not stand, up to this one.")
@click.option("-n", "--dry-run", is_flag=True, help="Run the same statements, and roll back.")
@click.option("--online", is_flag=True, help="Take migration.online.sql, for tables in use.")
@click.option(
    "--chunk",
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="With --online: commit every N rows, where the file reads batchgate.chunk.",
)
@with_database
@with_locks
@with_asking
@with_output
@with_settings("--allow-empty", "--pg-bin")
def apply(batch: str | None, through: str | None, online: bool, **given: Any) -> None:
    """Apply a batch, or all that are missing up to one.

    Writes to the database that --dsn or BATCHGATE_DSN names, and asks first. BATCH is the name,
    the number, the folder or a file of one; if it stands already, its file is run once more: a
    backfill picks up what is new, a schema batch refuses by itself. --through leaves out what
    stands, and runs the validation of a folder that only validates.

    Refused, before anything is written: where what the batch requires does not stand, where a
    required gate over that does not pass, on a standby, behind a pooler, and while another run is
    at work on the database. Before a large table is scanned or rewritten under a lock that others
    wait for, that is asked by name; the route is measured on a throw-away server for it.

    Ctrl-C, SIGTERM and a lost connection cancel what is under way, and what is left is said.

    \b
    Exit codes:
      0    applied, or tried out
      1    the file failed, or a validation on the way did
      2    called wrongly
      3    refused, and nothing of that batch was changed
      4    the suite's files or settings are wrong, or stdout cannot be written
      5    the database was not reached, or the connection was lost
      130  interrupted

    \b
    Examples:
      batchgate apply 3 --dry-run
      batchgate apply 3 --online --chunk 5000
      batchgate apply --through 7 --yes --lock-timeout 500ms --retries 20
    """
    one_of(batch, through)
    expect_word(given)
    if given["chunk"] and not online:
        raise click.UsageError("--chunk is for --online: an ordinary route is one transaction")
    project = read_project(arguments_of(given))
    named = project.batch(batch or through or "")
    empty = project.settings.allow_empty

    def choose(standing: Standing) -> Plan:
        if batch:
            return to_apply(standing, named, online=online)
        return to_apply_through(project.suite, standing, named, online=online, allow_empty=empty)

    fulfil(
        Wish(
            command="apply",
            project=project,
            way=way_of(given),
            choose=choose,
            verb="Apply",
            yes=given["yes"],
            accept_locks=given["accept_locks"],
            large=given["large"],
            as_json=given["as_json"],
        )
    )
