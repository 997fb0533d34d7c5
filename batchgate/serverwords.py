"""What the server said, with its true file and line and without people's data."""

import re

import psycopg

from batchgate.findings import MASK

# Data exceptions and constraint violations quote the values they stumbled on.
_QUOTING_DATA = ("22", "23")
_QUOTED = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'')


def server_words(error: psycopg.Error, text: str, path: str, line: int, *, skip: int = 0) -> str:
    """Return the server's message, its SQLSTATE, and the line of the file it speaks of.

    `line` is where `text` begins in the file at `path`; `skip` is how many characters were
    sent before `text`.
    """
    sqlstate = error.sqlstate or "no SQLSTATE"
    message = error.diag.message_primary or str(error).partition("\n")[0]
    if sqlstate.startswith(_QUOTING_DATA):
        message = _QUOTED.sub(f'"{MASK}"', message)
    where = ""
    if position := error.diag.statement_position:
        before = text[: max(int(position) - 1 - skip, 0)]
        where = f" at {path}:{line + before.count(chr(10))}"
    return f"{message} [{sqlstate}]{where}"
