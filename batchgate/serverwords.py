"""What the server said, with its true file and line and without people's data."""

import re

import psycopg

from batchgate.findings import MASK

# Data exceptions quote the values they stumbled on; constraint violations quote only names in
# their first line, and the values in their detail.
_DATA_EXCEPTION = "22"
_QUOTED = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'')
_KEY = re.compile(r"\) ?= ?\(.*\)", re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|$)")
_LINE_LENGTH = 100
_ROW = re.compile(r"(Failing row contains) \(.*\)", re.DOTALL)


def masked(text: str, sqlstate: str) -> str:
    """Hide the values that a server's message or its detail quotes."""
    if sqlstate.startswith(_DATA_EXCEPTION):
        text = _QUOTED.sub(f'"{MASK}"', text)
    return _ROW.sub(rf"\1 ({MASK})", _KEY.sub(f")=({MASK})", text))


def shown_sql(text: str) -> str:
    """Return a statement's first line for a message, without the values it quotes."""
    first = _LITERAL.sub(f"'{MASK}'", text.strip().partition("\n")[0])
    return first if len(first) <= _LINE_LENGTH else first[: _LINE_LENGTH - 1] + "…"


def server_words(error: psycopg.Error, text: str, path: str, line: int, *, skip: int = 0) -> str:
    """Return the server's message, its SQLSTATE, and the line of the file it speaks of.

    `line` is where `text` begins in the file at `path`; `skip` is how many characters were
    sent before `text`.
    """
    sqlstate = error.sqlstate or "no SQLSTATE"
    message = masked(error.diag.message_primary or str(error).partition("\n")[0], sqlstate)
    where = ""
    position = error.diag.statement_position
    if path and position:
        before = text[: max(int(position) - 1 - skip, 0)]
        where = f" at {path}:{line + before.count(chr(10))}"
    return f"{message} [{sqlstate}]{where}"
