"""Run one SQL file over a connection, as ``psql -v ON_ERROR_STOP=1 -f`` would."""

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import psycopg
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlparse import tokens as kinds

from batchgate.psqlfile import Branches, Script
from batchgate.psqlmeta import (
    BRANCHES,
    PRINTING,
    QUITTING,
    Filled,
    arguments,
    boolean,
    fill,
    is_variable_name,
    may_be_set_by_query,
)
from batchgate.sqltext import MetaCommand, Statement, words
from batchgate.sqltokens import tokens

__all__ = ["Output", "Script", "ScriptError", "ScriptRun", "Step", "run_script", "steps"]

Connection = psycopg.Connection[Any]

_ROWS_SHOWN = 50
_LINE_LENGTH = 100
_INLINE_LINE = re.compile(r"inline_code_block\D+(\d+)")


@dataclass(frozen=True)
class Output:
    """One thing that psql would print, and the place that made it so."""

    kind: Literal["notice", "echo", "table", "error"]
    text: str
    at: str


@dataclass(frozen=True, kw_only=True)
class ScriptError:
    """What stopped a file: the server's words, and the true place in the file."""

    message: str
    at: str
    sql: str
    number: int
    of: int
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""
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
    """A statement that is about to be sent, or (``ran``) has run."""

    statement: Statement
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


def run_script(
    connection: Connection, script: Script, variables: Mapping[str, str] | None = None
) -> ScriptRun:
    """Run a file to its end or its first error; the connection is usable afterwards."""
    running = steps(connection, script, variables)
    while True:
        try:
            next(running)
        except StopIteration as end:
            run: ScriptRun = end.value
            return run


def steps(
    connection: Connection, script: Script, variables: Mapping[str, str] | None = None
) -> Generator[Step, None, ScriptRun]:
    """Run a file, yielding before each statement is sent and again after it ran.

    The connection is in autocommit mode: the files open and close their own transactions.
    """
    if not connection.autocommit:
        raise ValueError("a script needs a connection in autocommit mode")
    runner = _Runner(connection, script, variables or {})
    connection.add_notice_handler(runner.take_notice)
    try:
        yield from runner.walk(script, 0)
        yield from runner.check_transaction()
        return runner.result()
    finally:
        connection.remove_notice_handler(runner.take_notice)
        if not connection.closed:
            connection.rollback()


@dataclass(frozen=True)
class _Place:
    """The statement that is running, as the file has it and as the server gets it."""

    script: Script
    statement: Statement
    number: int
    filled: Filled

    @property
    def at(self) -> str:
        return self.script.at(self.statement.line)

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


def _body_offset(text: str) -> int:
    """Return where a DO block's body begins: its longest string."""
    quoted = [token for token in tokens(text) if token.kind in kinds.Literal]
    return max(quoted, key=lambda token: len(token.text)).at if quoted else 0


class _Failure(Exception):
    """A step that psql itself would refuse, such as \\gset without a row."""


class _Runner:
    """The state of one run: variables, outputs, and the statement under way."""

    def __init__(
        self, connection: Connection, script: Script, variables: Mapping[str, str]
    ) -> None:
        self.connection = connection
        self.of = script.count
        self.outputs: list[Output] = []
        self.error: ScriptError | None = None
        self.last: _Place | None = None
        self.running: _Place | None = None
        self.line_is_open = False
        self.variables = {
            "ON_ERROR_STOP": "1",
            "SERVER_VERSION_NUM": str(connection.info.server_version),
            "DBNAME": connection.info.dbname,
            "USER": connection.info.user,
            "LAST_ERROR_MESSAGE": "",
            "LAST_ERROR_SQLSTATE": "00000",
            **variables,
        }

    def result(self) -> ScriptRun:
        exit_code = 0 if self.error is None else 2 if self.connection.closed else 3
        return ScriptRun(tuple(self.outputs), self.error, exit_code)

    def walk(self, script: Script, number: int) -> Iterator[Step]:
        """Carry out a file's parts; statements count on from a number, included ones too."""
        branches = Branches()
        for index, part in enumerate(script.parts):
            if isinstance(part, Statement):
                number += 1
                if branches.active:
                    yield from self._step(script, part, number)
            elif part.name in BRANCHES:
                branches.take(part.name, lambda: self._condition(script, part))  # noqa: B023
            elif index in script.included:
                if branches.active:
                    yield from self.walk(script.included[index], number)
                number += script.included[index].count
            elif branches.active and part.name in QUITTING:
                return
            elif branches.active:
                self._command(script, part)
            if self.error:
                return
