"""How a command ends: its exit code, and what it says on standard error."""

from enum import IntEnum

import click

from batchgate.errors import BatchgateError, Refused, ServerUnavailable, SuiteError


class Ending(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    FILES = 4
    SERVER = 5
    INTERRUPTED = 130


class Ended(click.ClickException):
    """What ended a command, as its message and its exit code."""

    def __init__(self, message: str, ending: Ending) -> None:
        super().__init__(message)
        self.ending = ending

    # click takes it from the class; ours differs from one to the next.
    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """Return the code of how it ended."""
        return int(self.ending)


def untold(failure: OSError, left: str) -> BatchgateError:
    """Return what is said where standard output could not be written, and nothing else failed.

    `left` is what would have been read there of what was done.
    """
    return BatchgateError(
        "standard output: expected that it can be written, it cannot",
        cause=failure.strerror or str(failure),
        left=left,
        fix="Make room, or lead it elsewhere.",
    )


def ending_of(error: BatchgateError | OSError) -> Ending:
    """Return the exit code for what went wrong; more exact ones come before what they are of."""
    if isinstance(error, Refused):
        return Ending.REFUSED
    if isinstance(error, ServerUnavailable):
        return Ending.SERVER
    if isinstance(error, SuiteError | OSError):
        return Ending.FILES
    return Ending.FAILED
