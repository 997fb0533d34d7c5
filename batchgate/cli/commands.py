"""The group of commands, and how each of them ends."""

from typing import Any

import click

from batchgate.cli.report import report
from batchgate.errors import BatchgateError


class Refused(click.ClickException):
    """A file that is wrong or cannot be written; pytest's code for the same."""

    exit_code = 4


class Commands(click.Group):
    """A group whose commands raise what is wrong with files, shown without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except (BatchgateError, OSError) as error:
            raise Refused(str(error)) from None


@click.group("batchgate", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="batchgate", message="%(prog)s %(version)s")
def main() -> None:
    """Work with what the runs of batchgate leave behind.

    Batches and gates are proven by pytest; the commands here start from its outcomes.
    """


main.add_command(report)
