"""What running a SQL file yields: outputs, steps, and an error with its true place."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import psycopg
from psycopg.errors import Diagnostic
from sqlparse import tokens as kinds

from batchgate.psqlfile import Script
from batchgate.psqlmeta import Filled
from batchgate.psqlsend import Table
from batchgate.sqltext import Statement
from batchgate.sqltokens import tokens

Kind = Literal["notice", "echo", "table", "error"]

_ROWS_SHOWN = 50
_LINE_LENGTH = 100
_INLINE_LINE = re.compile(r"inline_code_block\D+(\d+)")


@dataclass(frozen=True)
class Output:
    """One thing that psql would print, and the place that made it so.

    `severity` is a notice's, in English whatever the server speaks.
    """

    kind: Kind
    text: str
    at: str
    severity: str = field(default="", compare=False)

    @property
    def words(self) -> str:
        """Return the text without the severity before it."""
        return self.text.partition(":  ")[2] if self.kind == "notice" else self.text


class Said:
    """What a run has said: kept, or with `tell` handed over as it comes."""

    def __init__(self, tell: Callable[[Output], None] | None = None) -> None:
        self.kept: list[Output] = []
        self._tell = tell
        self._line_is_open = False

    def put(
        self, kind: Kind, text: str, at: str, *, line_is_open: bool = False, severity: str = ""
    ) -> None:
        """Take an output; an echo after ``\\echo -n`` goes on in the same line."""
        if self._line_is_open and kind == "echo":
            last = self.kept.pop()
            text, at = last.text + text, last.at
        self.kept.append(Output(kind, text, at, severity))
        self._line_is_open = line_is_open
        self._hand_over()

    def close_line(self) -> None:
        """End a line that is still open."""
        self._line_is_open = False
        self._hand_over()

    def _hand_over(self) -> None:
        while self._tell and len(self.kept) > self._line_is_open:
            self._tell(self.kept.pop(0))


@dataclass(frozen=True, kw_only=True)
class ScriptError:
    """What stopped a file: the server's words, and the true place in the file.

    `raised` tells that they are the file's own: it raised them.
    """

    message: str
    at: str
    sql: str
    number: int
    of: int
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""
    raised: bool = False
    constraint_name: str = ""

    @property
    def headline(self) -> str:
        """Which statement failed."""
        return f"statement {self.number} of {self.of} failed"

    @property
    def cause(self) -> str:
        """The server's message with its SQLSTATE, and its detail and hint below."""
        message = f"{self.message} [{self.sqlstate}]" if self.sqlstate else self.message
        return "\n".join(text for text in (message, self.detail, self.hint) if text)


@dataclass(frozen=True)
class ScriptRun:
    """A file run to its end or to its first error."""

    outputs: tuple[Output, ...]
    error: ScriptError | None
    exit_code: int

    @property
    def text(self) -> str:
        """What psql would print, but for command tags and its ``psql:file:line:`` prefixes."""
        return "".join(f"{output.text}\n" for output in self.outputs)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A statement that is about to be sent, or (``ran``) has run.

    `sent` is its text with psql's variables filled in.
    """

    statement: Statement
    sent: str
    number: int
    of: int
    at: str
    ran: bool
    outputs: tuple[Output, ...] = ()
    error: ScriptError | None = None

    @property
    def line(self) -> int:
        """The line on which the statement begins."""
        return self.statement.line


@dataclass(frozen=True)
class Place:
    """A statement that is running, as the file has it and as the server gets it."""

    script: Script
    statement: Statement
    number: int
    filled: Filled

    @property
    def at(self) -> str:
        """Name the line on which the statement begins."""
        return self.script.at(self.statement.line)

    @property
    def sent(self) -> str:
        """Return what goes to the server: a message may point at the semicolon, too."""
        return self.filled.text + ";" * self.statement.semicolon

    def of_message(self, said: Diagnostic) -> str:
        """Name the line that the server's message speaks of."""
        inline = _INLINE_LINE.search(said.context or "")
        if said.statement_position:
            return self._at_offset(int(said.statement_position) - 1)
        if inline:
            return self._at_offset(_body_offset(self.filled.text), int(inline[1]) - 1)
        return self.at

    def _at_offset(self, offset: int, further: int = 0) -> str:
        source = self.filled.source_offset(offset)
        below = self.statement.text.count("\n", 0, source)
        return self.script.at(self.statement.line + below + further)


@lru_cache(maxsize=16)
def _body_offset(text: str) -> int:
    """Return where a DO block's body begins: its longest string. Each of its notices asks."""
    quoted = [token for token in tokens(text) if token.kind in kinds.Literal]
    return max(quoted, key=lambda token: len(token.text)).at if quoted else 0


def server_error(error: psycopg.Error, place: Place, of: int, sent: str = "") -> ScriptError:
    """Return the server's refusal of a statement; ``sent`` is one that a query made."""
    said = error.diag
    return ScriptError(
        message=said.message_primary or str(error).strip(),
        at=place.at if sent else place.of_message(said),
        sql=shorten(sent or place.statement.text),
        number=place.number,
        of=of,
        sqlstate=said.sqlstate or "",
        detail=said.message_detail or "",
        hint=said.message_hint or "",
        raised=said.source_function == "exec_stmt_raise",
        constraint_name=said.constraint_name or "",
    )


def shorten(sql: str) -> str:
    """Return a statement's first line, cut to a length that fits a message."""
    first = sql.strip().partition("\n")[0].rstrip()
    return first if len(first) <= _LINE_LENGTH else first[: _LINE_LENGTH - 1] + "…"


def notice_text(said: Diagnostic) -> str:
    """Return a notice as psql prints it."""
    lines = [f"{said.severity}:  {said.message_primary}"]
    lines += [f"DETAIL:  {said.message_detail}"] if said.message_detail else []
    lines += [f"HINT:  {said.message_hint}"] if said.message_hint else []
    return "\n".join(lines)


def error_text(error: psycopg.Error, *, context: bool = True) -> str:
    """Return an error as psql prints it, with the line and the mark below it."""
    if error.pgresult is None:
        return f"error: {str(error).strip()}"
    text = error.pgresult.error_message.decode(errors="replace").rstrip("\n")
    return text if context else text.partition("\nCONTEXT:  ")[0]


def table_text(table: Table) -> str:
    """Return rows as a plain table: null is empty, and of very many rows the first are shown."""
    rows: list[Sequence[str | None]] = [table.names]
    rows += table.rows[:_ROWS_SHOWN] if table.names else []
    shown = [" | ".join(value or "" for value in row) for row in rows]
    if len(table.rows) > _ROWS_SHOWN:
        shown.append(f"… {len(table.rows) - _ROWS_SHOWN} more rows are not shown")
    count = f"({len(table.rows)} row{'' if len(table.rows) == 1 else 's'})"
    return "\n".join([*shown, count])
