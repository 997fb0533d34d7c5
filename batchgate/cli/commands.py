"""The group of commands."""

import click

from batchgate.cli.endings import Commands
from batchgate.cli.report import report


@click.group("batchgate", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="batchgate", message="%(prog)s %(version)s")
def main() -> None:
    """Work with what the runs of batchgate leave behind.

    Batches and gates are proven by pytest; the commands here start from its outcomes.
    """


main.add_command(report)
