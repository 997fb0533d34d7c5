"""All that pytest writes passes a last scrubber, once a target's connection string is given."""

import logging
import os
import re
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, TextIO

import pytest
from _pytest._code.code import ExceptionRepr, TerminalRepr
from _pytest.config import ConftestImportFailure
from _pytest.subtests import SubtestContext

from batchgate.scrub import Scrubber, concealed, without_passwords
from batchgate.targets.address import OPTION, SETTING, VARIABLE, secrets_of

SCRUBBER = pytest.StashKey[Scrubber]()

# Of a report; the others are names that pytest finds its way by.
_KEPT = frozenset(("nodeid", "location", "keywords", "when", "outcome"))


class Outputs:
    """The hooks behind which nothing is written any more but text without passwords."""

    def __init__(self, config: pytest.Config, scrub: Scrubber) -> None:
        self._config = config
        self._scrub = scrub
        self._undo: list[Callable[[], None]] = [scrub_records(scrub)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Stand before the file of --debug, where every hook's arguments are written."""
        root = config.trace.root
        if (write := root._writer) is not None:
            root.setwriter(lambda text: write(self._scrub(text)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Stand between the terminal's writer and its stream, which exists by now."""
        if self._config.pluginmanager.hasplugin("terminalreporter"):
            writer = self._config.get_terminal_writer()
            writer._file = ScrubbedStream(writer._file, self._scrub)

    def pytest_unconfigure(self) -> None:
        """Give logging its own records back."""
        while self._undo:
            self._undo.pop()()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Scrub a test's report after all others have written into it."""
        return scrub_report((yield), self._scrub)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Scrub what was added since: a subtest's output comes after its report is made."""
        scrub_report(report, self._scrub)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Scrub what collection ran into."""
        report = yield
        report.longrepr = scrubbed(report.longrepr, self._scrub)
        report.sections = scrubbed(report.sections, self._scrub)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: ExceptionRepr) -> None:
        """Scrub the traceback of a mistake of ours or of a plugin's."""
        scrubbed(excrepr, self._scrub)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Scrub a warning and the line of code that it quotes."""
        scrub_warning(warning_message, self._scrub)

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_parametrize_id(self, val: object) -> str | None:
        """Name a parameter without its password: such names stand in files and reports."""
        name = _name_of(val)
        return shown if (shown := self._scrub(name)) != name else None


class LastWords:
    """What ends pytest itself: an error of the call, which it quotes, or one of a plugin's."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Generator[None, object, object]:
        """Scrub an exception that nobody catches before Python shows it."""
        try:
            return (yield)
        except BaseException as error:
            scrub_error(error, self._scrub)
            raise


class ScrubbedStream:
    """A text stream that scrubs what is written to it, and is the other one otherwise.

    Each write is looked at alone, for one that is kept back until the next may never be seen:
    pytest writes a line's colours with the line, and reports were scrubbed whole before.
    """

    def __init__(self, stream: TextIO, scrub: Scrubber) -> None:
        self._stream = stream
        self._scrub = scrub

    def write(self, text: str) -> int:
        """Write the text without its passwords."""
        return self._stream.write(self._scrub(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write the lines together, for a password may be broken over two of them."""
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_outputs(config: pytest.Config) -> None:
    """Hide connection strings from pytest's memory, and passwords from all that it writes."""
    given = (
        config.known_args_namespace.dsn,
        os.environ.get(VARIABLE),
        config.getini(SETTING),
    )
    secrets = secrets_of(*given)
    scrub = secrets.scrubber()
    config.stash[SCRUBBER] = scrub
    _conceal_arguments(config, scrub)
    if any(given):
        config.pluginmanager.register(Outputs(config, scrub), "batchgate-outputs")
    config.pluginmanager.register(
        LastWords(scrub if any(given) else without_passwords), "batchgate-last-words"
    )


@contextmanager
def guarded_loading(
    config: pytest.Config, parser: pytest.Parser, arguments: list[str]
) -> Iterator[None]:
    """Guard the outputs, and scrub what stops pytest before it calls any other hook.

    That is a conftest.py that cannot be imported, and an unknown option with its value.
    """
    guard_outputs(config)
    scrub = scrubber_of(config)
    words = ""
    try:
        yield
    except ConftestImportFailure as failure:
        found = pytest.ExceptionInfo.from_exception(failure.cause)
        words = f"{failure.path}:\n{found.getrepr(style='short', chain=False)}"
        if scrub(words) == words:
            raise
    if words:
        raise pytest.UsageError(scrub(words))
    _, unknown = parser.parse_known_and_unknown_args(arguments)
    if any(scrub(each) != each for each in unknown):
        raise pytest.UsageError(f"unrecognized arguments: {scrub(' '.join(unknown))}")


def scrubber_of(config: pytest.Config) -> Scrubber:
    """Return what every text of ours passes before it is written to a file."""
    return config.stash[SCRUBBER]


def _conceal_arguments(config: pytest.Config, scrub: Scrubber) -> None:
    """Replace what holds a connection string by an equal text whose repr shows nothing.

    pytest prints the repr; pytest-xdist and who starts pytest anew take the texts.
    """
    given = config.invocation_params
    arguments: list[str] = []
    for argument in map(os.fspath, given.args):
        follows = bool(arguments) and arguments[-1] == OPTION
        hide = follows or argument.startswith(f"{OPTION}=") or scrub(argument) != argument
        arguments.append(concealed(argument) if hide else argument)
    config.invocation_params = pytest.Config.InvocationParams(
        args=arguments, plugins=given.plugins, dir=given.dir
    )


def scrub_report(report: pytest.TestReport, scrub: Scrubber) -> pytest.TestReport:
    """Scrub all that a report carries but the names of the test; return the same report."""
    for name, value in vars(report).items():
        if name not in _KEPT:
            setattr(report, name, scrubbed(value, scrub))
    return report


def scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    """Return plain values without passwords; what pytest shows is changed where it is.

    Lines are looked at together, for a password may be broken over two of them.
    """
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrubbed(key, scrub): scrubbed(each, scrub) for key, each in value.items()}
    if type(value) in (list, tuple):
        if value and all(isinstance(each, str) and "\n" not in each for each in value):
            return type(value)(scrub("\n".join(value)).split("\n"))
        return type(value)(scrubbed(each, scrub) for each in value)
    if isinstance(value, SubtestContext):
        # A new one would write its values' reprs a second time.
        object.__setattr__(value, "msg", scrubbed(value.msg, scrub))
        object.__setattr__(value, "kwargs", scrubbed(value.kwargs, scrub))
        return value
    if isinstance(value, TerminalRepr):
        for name, each in vars(value).items():
            setattr(value, name, scrubbed(each, scrub))
    return value


def scrub_warning(recorded: warnings.WarningMessage, scrub: Scrubber) -> None:
    """Scrub a recorded warning; its text becomes a plain warning where it held a password."""
    words = str(recorded.message)
    if (shown := scrub(words)) != words:
        recorded.message = Warning(shown)
    # The line is read from the file when it is shown, unless it is there.
    line = warnings.formatwarning("", recorded.category, recorded.filename, recorded.lineno)
    code = line.partition("\n")[2].strip()
    if scrub(code) != code:
        recorded.line = scrub(code)


def scrub_error(error: BaseException | None, scrub: Callable[[str], str]) -> None:
    """Scrub what an exception says, and those that it came from."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.args = scrubbed(each.args, scrub)
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def scrub_records(scrub: Scrubber) -> Callable[[], None]:
    """Let every log record be made without passwords; return what undoes this."""
    make = logging.getLogRecordFactory()

    def made(*args: Any, **named: Any) -> logging.LogRecord:
        return _scrub_record(make(*args, **named), scrub)

    logging.setLogRecordFactory(made)
    return lambda: logging.setLogRecordFactory(make)


def _name_of(value: object) -> str:
    """Return what pytest takes from a parameter's value into a test's name, or nothing."""
    match value:
        case str():
            return value
        case bytes():
            return value.decode("ascii", "backslashreplace")
        case re.Pattern():
            return _name_of(value.pattern)
        case Enum():
            return str(value)
    return ""


def _scrub_record(record: logging.LogRecord, scrub: Scrubber) -> logging.LogRecord:
    try:
        words = record.getMessage()
    except (TypeError, ValueError, KeyError):
        # Arguments that do not fit: logging says so later, and quotes them.
        record.msg = scrub(str(record.msg))
        record.args = tuple(scrub(str(each)) for each in record.args or ())
    else:
        if (shown := scrub(words)) != words:
            record.msg, record.args = shown, None
    if record.exc_info and record.exc_info[0] is not None:
        # Formatters take this text as it is.
        record.exc_text = scrub("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
    if record.stack_info:
        record.stack_info = scrub(record.stack_info)
    return record
