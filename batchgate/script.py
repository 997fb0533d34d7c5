"""Run one SQL file over a connection, as ``psql -v ON_ERROR_STOP=1 -f`` would."""

from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial

import psycopg
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus

from batchgate.activity import Running
from batchgate.psqlfile import Branches, Script
from batchgate.psqlmeta import (
    BRANCHES,
    PRINTING,
    QUITTING,
    arguments,
    boolean,
    fill,
    is_variable_name,
    may_be_set_by_query,
)
from batchgate.psqloutput import (
    Output,
    Place,
    Said,
    ScriptError,
    ScriptRun,
    Step,
    error_text,
    notice_text,
    server_error,
    shorten,
    table_text,
)
from batchgate.psqlsend import Connection, Table, send
from batchgate.sqltext import MetaCommand, Statement

__all__ = ["Output", "Script", "ScriptError", "ScriptRun", "Step", "run_script", "steps"]


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
    connection: Connection,
    script: Script,
    variables: Mapping[str, str] | None = None,
    *,
    tell: Callable[[Output], None] | None = None,
) -> Generator[Step, None, ScriptRun]:
    """Run a file, yielding before each statement is sent and again after it ran.

    The connection is in autocommit mode: the files open and close their own transactions. With
    `tell`, which must not raise, outputs are handed over as they come, and none is kept.
    """
    if not connection.autocommit:
        raise ValueError("a script needs a connection in autocommit mode")
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a script needs a connection without an open transaction")
    runner = _Runner(connection, script, variables or {}, tell)
    connection.add_notice_handler(runner.take_notice)
    try:
        yield from runner.walk(script, 0)
        yield from runner.check_transaction()
        return runner.result()
    finally:
        connection.remove_notice_handler(runner.take_notice)
        if not connection.closed:
            connection.rollback()


class _Failure(Exception):
    """A step that psql itself would refuse, such as \\gset without a row."""


class _Runner:
    """The state of one run: variables, outputs, and the statement under way."""

    def __init__(
        self,
        connection: Connection,
        script: Script,
        variables: Mapping[str, str],
        tell: Callable[[Output], None] | None,
    ) -> None:
        self.connection = connection
        self.of = script.count
        self.said = Said(tell)
        self.error: ScriptError | None = None
        self.running: Place | None = None
        self.last: Place | None = None
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
        self.said.close_line()
        exit_code = 0 if self.error is None else 2 if self.connection.closed else 3
        return ScriptRun(tuple(self.said.kept), self.error, exit_code)

    def walk(self, script: Script, number: int) -> Iterator[Step]:
        """Carry out a file's parts; statements count on from a number, included ones too."""
        branches = Branches()
        for index, part in enumerate(script.parts):
            if isinstance(part, Statement):
                number += 1
                if branches.active:
                    yield from self._step(script, part, number)
            elif part.name in BRANCHES:
                branches.take(part.name, partial(self._condition, script, part))
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

    def check_transaction(self) -> Iterator[Step]:
        """Fail a file that ends inside a transaction, which psql would undo without a word."""
        place = self.last
        open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
        if self.error or not place or self.connection.info.transaction_status not in open_states:
            return
        self.variables["ON_ERROR_STOP"] = "on"
        failed = self._fail(place, "the file ends with its transaction still open")
        yield self._as_step(place, ran=True, since=len(self.said.kept) - 1, error=failed)

    def take_notice(self, said: Diagnostic) -> None:
        """Keep a notice of the statement that is running; a caller's own in between is not ours."""
        if self.running:
            severity = said.severity_nonlocalized or ""
            self.said.put(
                "notice", notice_text(said), self.running.of_message(said), severity=severity
            )

    def _step(self, script: Script, statement: Statement, number: int) -> Iterator[Step]:
        place = Place(script, statement, number, fill(statement.text, self.variables))
        yield self._as_step(place, ran=False, since=len(self.said.kept))
        self.last = self.running = place
        since = len(self.said.kept)
        failed: ScriptError | None = None
        try:
            shown, text = script.shown, place.filled.text
            with Running(shown, text, number, self.of, on=self.connection.info):
                self._send(place)
        except psycopg.Error as error:
            failed = self._refused(place, error)
        except _Failure as error:
            failed = self._fail(place, str(error))
        finally:
            self.running = None
        yield self._as_step(place, ran=True, since=since, error=failed or self.error)

    def _as_step(
        self, place: Place, *, ran: bool, since: int, error: ScriptError | None = None
    ) -> Step:
        return Step(
            statement=place.statement,
            sent=place.filled.text,
            number=place.number,
            of=self.of,
            at=place.at,
            ran=ran,
            outputs=tuple(self.said.kept[since:]),
            error=error,
        )

    def _send(self, place: Place) -> None:
        """Send a statement, and do with its last rows what its ending says."""
        tables = self._execute(place.sent, place, place.statement.copy_data)
        ending = place.statement.send if tables else ""
        for table in tables[:-1] if ending in ("gset", "gexec") else tables:
            self.said.put("table", table_text(table), place.at)
        if ending == "gset":
            self._set_from(tables[-1], place)
        elif ending == "gexec":
            self._execute_cells(tables[-1], place)

    def _execute_cells(self, made: Table, place: Place) -> None:
        for cell in (cell for row in made.rows for cell in row if cell):
            try:
                for table in self._execute(cell, place):
                    self.said.put("table", table_text(table), place.at)
            except psycopg.Error as error:
                self._refused(place, error, sent=cell)
                if self.error:
                    return

    def _execute(self, sql: str, place: Place, data: str | None = None) -> list[Table]:
        answer = send(self.connection, sql, data)
        if answer.copied:
            self.said.put("table", answer.copied.removesuffix("\n"), place.at)
        self.variables.update(ERROR="false", SQLSTATE="00000", ROW_COUNT=str(answer.row_count))
        return answer.tables

    def _set_from(self, table: Table, place: Place) -> None:
        if len(table.rows) != 1:
            raise _Failure(
                f"{'more than one row' if table.rows else 'no rows'} returned for \\gset"
            )
        prefix = "".join(
            argument.value
            for argument in arguments(place.statement.send_arguments, self.variables)[:1]
        )
        for name, value in zip(table.names, table.rows[0], strict=True):
            variable = prefix + name
            if not is_variable_name(variable):
                raise _Failure(f'invalid variable name: "{variable}"')
            if not may_be_set_by_query(variable):
                text = f'attempt to \\gset into specially treated variable "{variable}" ignored'
                self.said.put("error", f"warning: {text}", place.at)
            elif value is None:
                self.variables.pop(variable, None)
            else:
                self.variables[variable] = value

    def _refused(self, place: Place, error: psycopg.Error, sent: str = "") -> ScriptError:
        failed = server_error(error, place, self.of, sent)
        self.variables.update(
            ERROR="true",
            SQLSTATE=failed.sqlstate,
            ROW_COUNT="0",
            LAST_ERROR_MESSAGE=failed.message,
            LAST_ERROR_SQLSTATE=failed.sqlstate,
        )
        context = self.variables.get("SHOW_CONTEXT", "").lower() != "never"
        return self._stop(failed, error_text(error, context=context))

    def _fail(self, place: Place, message: str) -> ScriptError:
        sql = shorten(place.statement.text)
        failed = ScriptError(message=message, at=place.at, sql=sql, number=place.number, of=self.of)
        return self._stop(failed, f"error: {message}")

    def _stop(self, failed: ScriptError, text: str) -> ScriptError:
        """Say what failed; the file ends here, unless it has turned ON_ERROR_STOP off."""
        self.said.put("error", text, failed.at)
        if boolean(self.variables["ON_ERROR_STOP"]) or self.connection.closed:
            self.error = failed
        return failed

    def _condition(self, script: Script, command: MetaCommand) -> bool:
        given = arguments(command.arguments, self.variables)
        word = " ".join(argument.value for argument in given)
        value = boolean(word)
        if value is None:
            where = f"\\{command.name} expression"
            text = f'error: unrecognized value "{word}" for "{where}": Boolean expected'
            self.said.put("error", text, script.at(command.line))
        return bool(value)

    def _command(self, script: Script, command: MetaCommand) -> None:
        at = script.at(command.line)
        given = arguments(command.arguments, self.variables)
        if command.name in PRINTING:
            no_newline = bool(given) and given[0].value == "-n" and not given[0].quoted
            text = " ".join(argument.value for argument in given[no_newline:])
            self.said.put("echo", text, at, line_is_open=no_newline)
        elif command.name == "unset":
            self.variables.pop(given[0].value, None)
            self.variables.setdefault("ON_ERROR_STOP", "off")
        elif command.name == "set":
            self._set(given[0].value, "".join(argument.value for argument in given[1:]), at)

    def _set(self, name: str, value: str, at: str) -> None:
        if name == "ON_ERROR_STOP":
            value = value or "on"
        if not is_variable_name(name):
            self._stop_command(f'invalid variable name: "{name}"', at)
        elif name == "ON_ERROR_STOP" and boolean(value) is None:
            self._stop_command(f'unrecognized value "{value}" for "{name}": Boolean expected', at)
        else:
            self.variables[name] = value

    def _stop_command(self, message: str, at: str) -> None:
        number = self.last.number if self.last else 0
        failed = ScriptError(message=message, at=at, sql="\\set", number=number, of=self.of)
        self._stop(failed, f"error: {message}")
