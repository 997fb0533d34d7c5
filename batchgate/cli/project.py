"""The project that a command is called in: the settings, suite and targets that pytest would use.

pytest reads its own files and options, and ours with them; it stops before it collects anything.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import PurePath

import click
import pytest

from batchgate.cli.endings import Ended, Ending
from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.errors import BatchgateError, SuiteError
from batchgate.invocation import joined_option
from batchgate.options import add_options, settings_of, targets_of, terms_of
from batchgate.outputs import guarded_loading
from batchgate.suite import Batch, Suite
from batchgate.targets.address import Target
from batchgate.targets.terms import Terms

# Nothing is asserted here, and to rewrite modules for it takes longer than to load them.
_PLAIN = "--assert=plain"
# Plugins that have no say in our settings and take long to be loaded; of our own, the reader has
# what it takes.
_IDLE = (
    *("batchgate", "html", "html_fixtures", "metadata", "pytest_postgresql"),
    *("xdist", "xdist.looponfail"),
)


NAME_IT = (
    "--dsn postgresql://user@host/database, or BATCHGATE_DSN; --dsn postgresql:// takes all of it"
    " from PG* variables."
)


@dataclass(frozen=True)
class Project:
    """What a command works on."""

    settings: Settings
    suite: Suite
    targets: Sequence[Target]
    terms: Terms

    def target(self) -> Target:
        """Return the one database that a command is for; raises Ended as for a wrong call."""
        if len(self.targets) == 1:
            return self.targets[0]
        found = ", ".join(target.name for target in self.targets) or "none"
        error = SuiteError(
            f"expected one database to work on, found {found}",
            fix=f"Name it: {NAME_IT}",
        )
        raise Ended(str(error), Ending.USAGE)

    def batch(self, named: str) -> Batch:
        """Return the batch of a name, a number, or the path of its folder or of a file in it.

        Raises Ended, too.
        """
        parts = PurePath(named).parts
        is_file = len(parts) > 1 and parts[-1].endswith((".sql", ".md"))
        wanted = parts[-2 if is_file else -1] if parts else ""
        for batch in self.suite.batches:
            if wanted == batch.name or (wanted.isdecimal() and int(wanted) == batch.number):
                return batch
        known = ", ".join(batch.name for batch in self.suite.batches) or "none"
        error = SuiteError(
            f"expected the name or the number of a batch, found {named or 'nothing'}",
            at=self.settings.relative(self.settings.sql),
            fix=f"One of: {known}.",
        )
        raise Ended(str(error), Ending.USAGE)


def read_project(arguments: Sequence[str] = ()) -> Project:
    """Read the project of the current folder, with arguments as pytest takes them.

    Raises SuiteError where its files are wrong; what pytest itself refuses, it says itself.
    """
    reader = light = _read_lightly(arguments)
    if reader.found is None:
        reader = _Reader()
        code = pytest.main([_PLAIN, *arguments], plugins=[reader])
        if reader.found is None:
            wrong = _is_of_call(light.said, arguments)
            raise click.exceptions.Exit(Ending.USAGE if wrong else int(code))
    if isinstance(reader.found, BatchgateError):
        raise reader.found
    return reader.found


class _Reader:
    """Takes the place of pytest's own command once all options and settings are read."""

    def __init__(self) -> None:
        self.found: Project | BatchgateError | None = None
        self.said = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> pytest.ExitCode:
        """Read what there is to read, and answer in pytest's place."""
        try:
            self.found = _project_of(config)
        except BatchgateError as error:
            self.found = error
        return pytest.ExitCode.OK


class _LightReader(_Reader):
    """Has of our plugin what reads settings; what is out of the ordinary is left to the plugin."""

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Declare every option and its ini twin."""
        add_options(parser)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, parser: pytest.Parser, args: list[str]
    ) -> Generator[None, object, object]:
        """Keep secrets out of every output."""
        with guarded_loading(early_config, parser, args):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> pytest.ExitCode:
        """Read what there is to read, where our plugin would let others do so."""
        if config.getoption("pg_versions") or joined_option(config):
            return pytest.ExitCode.USAGE_ERROR
        return super().pytest_cmdline_main(config)


def _read_lightly(arguments: Sequence[str]) -> _Reader:
    """Read without the plugins that are idle here; nothing is found where that might matter.

    A project may give options of theirs, or hooks: pytest takes those for a mistake then. Whatever
    it says is left to the reading with all plugins to say.
    """
    reader, blank, said = _LightReader(), _Reader(), StringIO()
    idle = [word for name in _IDLE for word in ("-p", f"no:{name}")]
    try:
        with redirect_stdout(said), redirect_stderr(said):
            pytest.main([_PLAIN, *idle, *arguments], plugins=[reader])
    except Exception:
        return blank
    blank.said = said.getvalue()
    return blank if blank.said else reader


def _is_of_call(said: str, arguments: Sequence[str]) -> bool:
    """Tell whether what pytest refused is an option of the call, not a setting of the files."""
    names = {argument.partition("=")[0] for argument in arguments}
    return any(re.search(rf"^ERROR: {re.escape(name)}[: ]", said, re.MULTILINE) for name in names)


def _project_of(config: pytest.Config) -> Project:
    settings = settings_of(config)
    suite = discover(settings)
    if suite.problems:
        first, *more = suite.problems
        raise first if not more else SuiteError("\n\n".join(map(str, suite.problems)))
    if not suite.batches and not suite.gates:
        raise SuiteError(
            "expected batches or gates, found neither",
            at=settings.relative(settings.sql),
            fix="Call it in the folder of the project, or set batchgate_sql for pytest.",
        )
    return Project(settings, suite, targets_of(config), terms_of(config))
