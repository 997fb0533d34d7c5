"""pytest's options of batchgate as options of a command, in the same words."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from batchgate.limits import LIMITS
from batchgate.options import described
from batchgate.scrub import concealed

F = TypeVar("F", bound=Callable[..., Any])

_SEVERAL = ("--dsn",)
_DSN = (
    "the database: a URL, libpq's keywords or service=NAME; BATCHGATE_DSN names it, too, and keeps"
    " it out of the list of processes"
)


def with_settings(*names: str, one: bool = True) -> Callable[[F], F]:
    """Declare options of pytest's, such as `--dsn`, for a command; `arguments_of` hands them on.

    `one` says that the command is for one database only, which needs no name.
    """

    def declare(command: F) -> F:
        for name in reversed(names):
            metavar, text = described()[name]
            if name == "--dsn":
                metavar, text = metavar.removeprefix("[NAME=]") if one else metavar, _DSN
            # PostgreSQL's own names stay as they are written.
            if _parameter(name) not in LIMITS:
                text = f"{text[0].upper()}{text[1:]}."
            if not metavar:
                option = click.option(name, is_flag=True, default=None, help=text)
            else:
                option = click.option(
                    name,
                    metavar=metavar,
                    help=text,
                    multiple=name in _SEVERAL,
                    type=concealed if name == "--dsn" else None,
                )
            command = option(command)
        return command

    return declare


def arguments_of(given: Mapping[str, Any]) -> list[str]:
    """Return the options of pytest's that a command was given, as pytest takes them.

    What is of another command's making, such as `--json`, is left out.
    """
    arguments: list[str] = []
    for name, (metavar, _) in described().items():
        value = given.get(_parameter(name))
        if not metavar:
            arguments += [name] if value else []
        elif name in _SEVERAL:
            arguments += [concealed(f"{name}={each}") for each in value or ()]
        elif value is not None:
            arguments.append(f"{name}={value}")
    return arguments


def _parameter(name: str) -> str:
    return name.removeprefix("--").replace("-", "_")


def whole_number(text: str) -> int:
    """Read how many there are to be, as click's type; `concealed` is another such function."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise click.BadParameter(f"expected a number from 1 on, found {text or 'nothing'}")
    return int(text)
