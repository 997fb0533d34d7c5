"""The pytest plugin: options and hooks only."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from batchgate.collect import HARNESS, ArtifactItem, file_for
from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.errors import BatchgateError
from batchgate.findings import State
from batchgate.fixtures import (
    at_batch,
    batchgate_postgresql,
    batchgate_server,
    session,
    steps_of,
)
from batchgate.harness import Harness
from batchgate.invocation import joined_option, no_page, only_looks
from batchgate.report.page import draw_row, draw_summary, prepare_page
from batchgate.report.promises import promised_by
from batchgate.results import CARRIED, RESULTS, Results
from batchgate.server import Server
from batchgate.terminal import show_run
from batchgate.verdict import Run, Verdict, judge
from batchgate.versions import majors_of, run_versions

__all__ = ["at_batch", "batchgate_postgresql", "batchgate_server", "session", "steps_of"]

NO_PAGE = pytest.StashKey[str]()

_FOLDERS = {
    "batchgate_sql": ("sql", "folder of the batches"),
    "batchgate_gates": ("gates", "folder of the gates and their red proofs"),
    "batchgate_sample": ("scenarios/sample", "folder of the sample data, NN.sql for batch NN"),
    "batchgate_traffic": ("scenarios/traffic", "folder of what sessions run beside a batch"),
    "batchgate_reports": ("reports", "folder the page is written to"),
}
_PG_BIN = "folder of the PostgreSQL binaries to run (default: the embedded wheel, then the system)"
_PG_VERSIONS = (
    "run everything on each of these PostgreSQL versions (14,15,18 or all) and show side by side "
    "what differs; python -m batchgate.fetch gets those that are not installed"
)
_STRICT = "informational gates that find something fail the run"
_ALLOW_EMPTY = "a required gate whose table is empty does not fail the run"
_LOCKED_ROWS = (
    "rows that a statement may work on, with four times the data, while others wait for its lock"
    " (default: 0)"
)
_MUTANTS = "mutants to try against each validation; of more, an even choice (default: 1000)"
_MARKERS = {
    "gates": "gates over the data, and the proof that each of them can fail",
    "batches": "what each batch's files must prove",
    "rollback": "a rollback restores schema and data",
    "failures": "whatever befalls a statement, nothing is left halfway",
    "constraints": "constraints reject what they must, by SQLSTATE and name",
    "indexes": "indexes enforce and are used",
    "backfill": "backfills group, link and repeat as specified",
    "routes": "an online route ends where the migration ends",
    "locks": "no lock that others wait for is held during work that grows with the rows",
    "traffic": "no session of the application fails or waits for ever beside a batch",
    "noops": "IF NOT EXISTS and IF EXISTS hide nothing",
    "mutants": "a validation notices each damage to what its batch made, with rows or without",
}
# A warned gate keeps pytest's outcome; these words tell it from a pass everywhere.
_WORDS = {
    State.WARNED: ("warned", "w", ("WARNED", {"yellow": True})),
    State.NOT_EXERCISED: ("not exercised", "n", ("NOT EXERCISED", {"yellow": True})),
    State.NOT_APPLICABLE: ("not applicable", "n", ("NOT APPLICABLE", {"yellow": True})),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin, with one help text for both."""
    group = parser.getgroup("batchgate", "batchgate: SQL batches and data gates")
    group.addoption("--pg-bin", metavar="DIR", help=f"{_PG_BIN}; also BATCHGATE_PG_BIN")
    group.addoption("--strict-gates", action="store_true", default=None, help=_STRICT)
    group.addoption("--allow-empty", action="store_true", default=None, help=_ALLOW_EMPTY)
    group.addoption("--pg-versions", metavar="MAJORS", help=_PG_VERSIONS)
    group.addoption("--locked-rows", metavar="N", type=int, help=_LOCKED_ROWS)
    group.addoption("--mutants", metavar="N", type=int, help=_MUTANTS)
    parser.addini("batchgate_locked_rows", _LOCKED_ROWS)
    parser.addini("batchgate_mutants", _MUTANTS)
    parser.addini("batchgate_pg_bin", _PG_BIN)
    parser.addini("batchgate_strict_gates", _STRICT, type="bool", default=False)
    parser.addini("batchgate_allow_empty", _ALLOW_EMPTY, type="bool", default=False)
    for name, (default, text) in _FOLDERS.items():
        # Without a default here, so that a setting is told from none.
        parser.addini(name, f"{text} (default: {default})", default=None)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | pytest.ExitCode | None:
    """Run on several versions, or start over where pytest took --pg-bin's folder for tests."""
    if (majors := config.getoption("pg_versions")) and not only_looks(config):
        given = [os.fspath(argument) for argument in config.invocation_params.args]
        return run_versions(_settings(config), given, majors_of(majors))
    arguments = joined_option(config)
    if arguments is None:
        return None
    # That our modules are here already is true the second time, and no fault of the project's.
    quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    return pytest.main([*quiet, *arguments], plugins=config.invocation_params.plugins)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings and the suite; ask pytest-html for the page where there is a suite."""
    for name, text in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    settings = _settings(config)
    harness = Harness(settings, discover(settings))
    lent = getattr(config, "workerinput", {}).get("batchgate")
    if lent:
        harness.lend(Server.from_dict(lent["server"]), lent["run_id"])
    config.stash[HARNESS] = harness
    config.stash[RESULTS] = Results()
    config.pluginmanager.register(config.stash[RESULTS], "batchgate-results")
    config.add_cleanup(harness.close)
    if harness.active and not _is_worker(config) and config.pluginmanager.hasplugin("html"):
        _ask_for_page(config, settings.reports / "report.html")


def _ask_for_page(config: pytest.Config, page: Path) -> None:
    if config.getoption("htmlpath"):
        config.option.self_contained_html = True
    elif reason := no_page(config, page):
        config.stash[NO_PAGE] = reason
    elif not only_looks(config):
        config.option.htmlpath = str(page)
        config.option.self_contained_html = True


def _settings(config: pytest.Config) -> Settings:
    root = config.rootpath
    chosen = {name: root / value for name in _FOLDERS if (value := config.getini(name))}
    folders = {
        name.removeprefix("batchgate_"): chosen.get(name, root / default)
        for name, (default, _) in _FOLDERS.items()
    }
    chosen.pop("batchgate_reports", None)
    here = config.invocation_params.dir
    choices = (
        (config.getoption("pg_bin"), "--pg-bin", here),
        (os.environ.get("BATCHGATE_PG_BIN"), "BATCHGATE_PG_BIN", here),
        (config.getini("batchgate_pg_bin"), "batchgate_pg_bin", root),
    )
    pg_bin, source, base = next((each for each in choices if each[0]), (None, "", root))
    return Settings(
        root=root,
        pg_bin=str(base / Path(pg_bin).expanduser()) if pg_bin else None,
        pg_bin_source=source,
        strict_gates=_either(config, "strict_gates"),
        allow_empty=_either(config, "allow_empty"),
        locked_rows=_count(config, "locked_rows", 0),
        mutants=_count(config, "mutants", 1000),
        chosen=chosen,
        **folders,
    )


def _either(config: pytest.Config, name: str) -> bool:
    option = config.getoption(name)
    return bool(config.getini(f"batchgate_{name}") if option is None else option)


def _count(config: pytest.Config, name: str, default: int) -> int:
    option, ini = config.getoption(name), config.getini(f"batchgate_{name}")
    given = str(ini or default) if option is None else str(option)
    if not given.isdecimal():
        shown = name.replace("_", "-")
        raise pytest.UsageError(f"--{shown}: expected a number, none below 0, found {given}")
    return int(given)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which suite and which server this run uses, and where the server is from."""
    harness = config.stash[HARNESS]
    if not harness.active:
        return None
    return f"batchgate: {harness.described}"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a suite whose files are wrong, with every problem at once."""
    problems = session.config.stash[HARNESS].suite.problems
    if problems and not _is_worker(session.config):
        raise pytest.UsageError("\n\n".join(str(problem) for problem in problems))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect the files of batches and gates."""
    return file_for(file_path, parent, parent.config.stash[HARNESS])


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server before the first item, so that what is wrong with it is said once."""
    config = session.config
    if config.getoption("collectonly") or _is_worker(config):
        return
    if any(isinstance(item, ArtifactItem) for item in session.items):
        _start(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker the address of the controller's server."""
    harness = node.config.stash[HARNESS]
    if harness.active:
        server = _start(node.config).to_dict()
        node.workerinput["batchgate"] = {"server": server, "run_id": harness.run_id}


def _start(config: pytest.Config) -> Server:
    try:
        return config.stash[HARNESS].server
    except BatchgateError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report carry the item's outcome, and say a user's error without a traceback."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    carried: dict[str, Any] = {}
    if isinstance(item, ArtifactItem) and call.when == "call":
        carried = item.outcome(call.duration, error)
    if applied := item.config.stash[HARNESS].drain_applied():
        carried["applied"] = applied
    setattr(report, CARRIED, carried)
    if isinstance(error, BatchgateError) and call.excinfo:
        plain = call.excinfo.getrepr(style="value", chain=False)
        crash = getattr(plain, "reprcrash", None)
        if crash is not None:
            crash.message = str(error)
        report.longrepr = plain
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[Any, ...] | None:
    """Give what found something, or had nothing to look at, a word of its own."""
    carried = getattr(report, CARRIED, {})
    told = carried.get("gate") or carried.get("check")
    if told and report.when == "call" and report.passed:
        return _WORDS.get(State(told["state"]))
    return None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Show the gates that ran, and the verdict, which says what did not run."""
    if config.stash[HARNESS].active and not config.getoption("collectonly"):
        run, verdict = _concluded(config, exitstatus)
        page = config.getoption("htmlpath", None)
        shown = config.stash[HARNESS].settings.relative(Path(page)) if page else ""
        show_run(terminalreporter, run, verdict, shown)
        if reason := config.stash.get(NO_PAGE, ""):
            terminalreporter.write_line(f"no page: {reason}", yellow=True)


def _concluded(config: pytest.Config, exitstatus: int) -> tuple[Run, Verdict]:
    finished = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    run = config.stash[RESULTS].run(config.stash[HARNESS].suite, finished=finished)
    return run, judge(run)


@pytest.hookimpl(optionalhook=True)
def pytest_html_report_title(report: Any) -> None:
    """Name the page after the project, and keep the environment's variables off it."""
    if report.config.stash[HARNESS].active:
        prepare_page(report, f"{report.config.rootpath.name} · batches and gates")


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_summary(prefix: list[str], session: pytest.Session) -> None:
    """Draw the verdict, the batches and the gates at the top of the page."""
    config = session.config
    if config.stash[HARNESS].active:
        harness = config.stash[HARNESS]
        run, verdict = _concluded(config, int(session.exitstatus))
        prefix.append(draw_summary(run, verdict, harness.described, promised_by(harness.suite)))


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_html_results_table_row(report: pytest.TestReport, cells: list[str]) -> None:
    """Draw the cells of a test's row ourselves: pytest-html leaves names unescaped."""
    draw_row(report, cells)


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_html(report: pytest.TestReport, data: list[str]) -> None:
    """Leave out what passing tests printed: nobody reads it, and it may hold anything."""
    if report.passed:
        data.clear()
