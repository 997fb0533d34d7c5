"""The options that apply, rollback and validate have in common, and what they come to."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from batchgate.limits import AMOUNT, is_setting, seconds_of
from batchgate.operate.task import Way
from batchgate.scrub import concealed

F = TypeVar("F", bound=Callable[..., Any])

_SIZE = re.compile(rf"({AMOUNT})\s*(B|kB|MB|GB|TB)?", re.ASCII)
_BYTES = {"": 1, "B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_LOCK_TIMEOUT, _RETRIES, _LARGE = "2s", 5, "100MB"


def duration(text: str) -> str:
    """Return a duration as PostgreSQL writes it, such as 2s, once it is known to be one."""
    # A number alone, which PostgreSQL takes for milliseconds, is meant otherwise by most.
    if not is_setting(text) or (text.strip().isdecimal() and seconds_of(text)):
        raise click.BadParameter(
            "expected a duration such as 2s, 1.5s or 500ms (a number and one of us, ms, s, min, h,"
            f" d; from 1ms to 24d), 0 for no limit, found {text.strip() or 'nothing'}"
        )
    return text.strip()


def size(text: str) -> int:
    """Return how many bytes a size such as 100MB is."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise click.BadParameter(
            "expected a size such as 100MB or 1.5GB (a number and one of B, kB, MB, GB, TB), found"
            f" {text.strip() or 'nothing'}"
        )
    return int(float(found[1]) * _BYTES[found[2] or ""])


def with_database(command: F) -> F:
    """Declare which database is worked on; the setting and the variable are those of the gates."""
    return _declared(
        command,
        click.option(
            "--dsn",
            multiple=True,
            type=concealed,
            metavar="DSN",
            help="The database to work on: a URL, libpq's keywords or service=NAME; also"
            " BATCHGATE_DSN.",
        ),
    )


def with_locks(command: F) -> F:
    """Declare how long locks are waited for, and what is done then."""
    return _declared(
        command,
        click.option(
            "--lock-timeout",
            "lock_wait",
            type=duration,
            default=_LOCK_TIMEOUT,
            show_default=True,
            metavar="TIME",
            help="How long a statement waits for a lock; 0: for ever. What the file sets itself"
            " counts more, and what is made CONCURRENTLY is not cut short.",
        ),
        click.option(
            "--retries",
            type=click.IntRange(0, 1000),
            default=_RETRIES,
            show_default=True,
            metavar="N",
            help="How often a file that did not get a lock, or met a deadlock, is run again.",
        ),
    )


def with_asking(command: F) -> F:
    """Declare what answers questions before they are asked."""
    return _declared(
        command,
        click.option("-y", "--yes", is_flag=True, help="This database is meant: do not ask."),
        click.option(
            "--accept-locks",
            is_flag=True,
            help="Let others wait while a large table is worked on: do not measure, nor ask.",
        ),
        click.option(
            "--large",
            type=size,
            default=_LARGE,
            show_default=True,
            metavar="SIZE",
            help="From which size on a table is large.",
        ),
    )


def with_output(command: F) -> F:
    """Declare how much is said, and to whom."""
    return _declared(
        command,
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            help="Show each statement with its time; sets batchgate.verbose for the file.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Write one JSON document on stdout."),
    )


def one_of(batch: str | None, through: str | None) -> None:
    """Expect one batch to be named, by itself or as the last of several; raises UsageError."""
    if (batch is None) == (through is None):
        raise click.UsageError("expected either BATCH or --through BATCH")


def expect_word(given: Mapping[str, Any]) -> None:
    """Expect consent where nobody can be asked; raises UsageError."""
    if given["as_json"] and not (given["yes"] or given["dry_run"]):
        raise click.UsageError("--json asks nothing: say --yes, too, or --dry-run")


def way_of(given: Mapping[str, Any]) -> Way:
    """Return how files are to be run."""
    return Way(
        dry=bool(given.get("dry_run")),
        verbose=given["verbose"],
        chunk=given.get("chunk"),
        lock_timeout=given["lock_wait"],
        retries=given["retries"],
    )


def _declared(command: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
