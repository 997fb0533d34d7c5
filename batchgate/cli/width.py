"""Lines as a terminal takes them: as wide as it is, the rest below, set in; in colour or not."""

import os
import re
from shutil import get_terminal_size
from textwrap import fill
from typing import IO, Any

NARROWEST = 40
# A label, such as stands before what a message says in a line of its own.
_LABEL = re.compile(r" +(?:- |[a-z]+: )")


def columns() -> int:
    """Return how wide the terminal is; one that is too narrow to write on counts as wider."""
    return max(get_terminal_size().columns, NARROWEST)


def in_colour() -> bool:
    """Tell whether colours are wanted where there is a terminal, and known to it."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def wrapped(text: str) -> str:
    """Return lines in as many as the terminal has room for, the further ones set in."""
    return "\n".join(map(_wrapped, text.split("\n")))


def fitted(text: str, stream: IO[Any]) -> str:
    """Return lines as a terminal has room for them; a log's are left whole."""
    return wrapped(text) if stream.isatty() else text


def _wrapped(line: str) -> str:
    label = _LABEL.match(line)
    indent = len(line) - len(line.lstrip())
    # A line that goes on under a label stands with its text already.
    deep = len(label[0]) if label else indent + (2 if indent < 6 else 0)
    return fill(
        line,
        columns(),
        subsequent_indent=" " * deep,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
