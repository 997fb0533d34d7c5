"""The group of commands: a module each, of the same name, read when it is called for."""

import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from batchgate.cli.conclusion import conclude
from batchgate.cli.endings import Ended, Ending, ending_of
from batchgate.cli.signals import deaf_at_the_end, ended_by_signals
from batchgate.errors import BatchgateError, SuiteError

_COMMANDS = ("status", "check", "apply", "validate", "rollback", "report")


class Commands(click.Group):
    """A group whose commands raise what a user can put right, shown without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which one comes to need them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name: the others' modules need not be loaded for it."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"batchgate.cli.{cmd_name}"), cmd_name)
        return command

    def main(self, *args: Any, **given: Any) -> NoReturn:
        """Run a call from its words to its exit code; whatever ends it is told in one place."""
        called = given.pop("args", args[0] if args else None)
        words = sys.argv[1:] if called is None else list(called)
        run = partial(super().main, words, *args[1:], **{**given, "standalone_mode": False})
        # From reading the project on, whatever comes: what is worked on hears of it as ever.
        with ended_by_signals():
            code = conclude(lambda streams: run(obj=streams), words, _COMMANDS)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except (BatchgateError, OSError) as error:
            raise Ended(str(_told(error)), ending_of(error)) from None
        except KeyboardInterrupt:
            # What a command has begun by then, it has said itself.
            raise Ended("interrupted", Ending.INTERRUPTED) from None
        finally:
            deaf_at_the_end()


def _told(error: BatchgateError | OSError) -> BatchgateError | OSError:
    """Return an error; that the current folder is gone, which the system's own words leave out."""
    try:
        Path.cwd()
    except OSError as gone:
        if isinstance(error, OSError):
            return SuiteError(
                "expected a current folder, found that it is gone",
                cause=gone.strerror or str(gone),
                fix="Go to the folder of the project.",
            )
    return error


@click.group("batchgate", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="batchgate", message="%(prog)s %(version)s")
def main() -> None:
    """Apply SQL batches to a database, see what stands there, and gate its data.

    Works on the batches and gates of the project in the current folder, over the same code that
    proves them under pytest, and with pytest's settings. Whatever writes says to which database,
    and asks.

    \b
    Examples:
      export BATCHGATE_DSN=postgresql://owner@db.example/shop
      batchgate status
      batchgate apply 3 --dry-run
      batchgate apply --through 5
      batchgate validate
    """
