"""The pytest plugin: options and hooks only."""

import os
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchgate.aftermath import Aftermath
from batchgate.beginning import Beginning
from batchgate.collect import HARNESS, ArtifactItem, file_for
from batchgate.discover import discover
from batchgate.errors import BatchgateError
from batchgate.findings import State
from batchgate.fixtures import (
    at_batch,
    batchgate_postgresql,
    batchgate_server,
    session,
    steps_of,
    undone,
)
from batchgate.harness import Harness
from batchgate.invocation import drop_page, joined_option, no_page, only_looks
from batchgate.options import add_options, settings_of, targets_of, terms_of
from batchgate.outputs import guarded_loading
from batchgate.progress.showing import show_progress
from batchgate.release import Release, is_on_target
from batchgate.report.hooks import PageHooks
from batchgate.results import CARRIED, RESULTS, Results
from batchgate.run import Run
from batchgate.server import Server
from batchgate.terminal import show_run
from batchgate.verdict import Verdict, judge
from batchgate.versions import majors_of, run_versions

__all__ = ["at_batch", "batchgate_postgresql", "batchgate_server", "session", "steps_of", "undone"]

NO_PAGE = pytest.StashKey[str]()

_TO_ITS_END = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)

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
    State.NO_RESULT: ("no result", "n", ("NO RESULT", {"yellow": True})),
    State.WARNED: ("warned", "w", ("WARNED", {"yellow": True})),
    State.NOT_EXERCISED: ("not exercised", "n", ("NOT EXERCISED", {"yellow": True})),
    State.NOT_APPLICABLE: ("not applicable", "n", ("NOT APPLICABLE", {"yellow": True})),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Keep secrets out of every output, before pytest writes its arguments anywhere."""
    with guarded_loading(early_config, parser, args):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | pytest.ExitCode | None:
    """Run on several versions, or start over where pytest took --pg-bin's folder for tests."""
    if (majors := config.getoption("pg_versions")) and not only_looks(config):
        if config.getoption("dsn"):
            raise pytest.UsageError(
                "--pg-versions: expected throw-away servers alone, found --dsn\n"
                "  fix: Leave one of the two out: a target has a version of its own."
            )
        given = [os.fspath(argument) for argument in config.invocation_params.args]
        return run_versions(settings_of(config), given, majors_of(majors))
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
    settings = settings_of(config)
    harness = Harness(settings, discover(settings), targets_of(config), terms_of(config))
    lent = getattr(config, "workerinput", {}).get("batchgate", {})
    if "server" in lent:
        harness.lend(Server.from_dict(lent["server"]), lent["run_id"])
    if "desk" in lent:
        harness.lend_desk(lent["desk"])
    config.stash[HARNESS] = harness
    config.stash[RESULTS] = Results(config)
    config.pluginmanager.register(config.stash[RESULTS], "batchgate-results")
    config.add_cleanup(harness.close)
    if harness.active and not _is_worker(config) and not only_looks(config):
        try:
            aftermath = Aftermath(config, _concluded)
        except BatchgateError as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(aftermath, "batchgate-aftermath")
        page = PageHooks(lambda: aftermath.document)
        config.pluginmanager.register(page, "batchgate-page")
    if harness.targets and not _is_worker(config):
        config.pluginmanager.register(Release(harness.desk), "batchgate-release")
    show_progress(config, harness)
    if harness.active and not _is_worker(config) and config.pluginmanager.hasplugin("html"):
        _ask_for_page(config, settings.reports / "report.html")
    if config.pluginmanager.hasplugin("batchgate-aftermath"):
        config.pluginmanager.register(Beginning(config, settings), "batchgate-beginning")


def _ask_for_page(config: pytest.Config, page: Path) -> None:
    if config.getoption("htmlpath"):
        config.option.self_contained_html = True
    elif reason := no_page(config, page):
        config.stash[NO_PAGE] = reason
    elif not only_looks(config):
        config.option.htmlpath = str(page)
        config.option.self_contained_html = True


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_report_header(config: pytest.Config) -> list[str] | None:
    """Say which suite and which server this run uses, and where the server is from."""
    harness = config.stash[HARNESS]
    if not harness.active:
        return None
    place = f" in {harness.programs}" if harness.programs else ""
    return [f"batchgate: {line}" for line in (f"{harness.described}{place}", *harness.aims)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a suite whose files are wrong, with every problem at once."""
    problems = session.config.stash[HARNESS].suite.problems
    if problems and not _is_worker(session.config):
        raise pytest.UsageError("\n\n".join(str(problem) for problem in problems))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Leave the page of the last run where this one is called wrongly and runs nothing."""
    try:
        return (yield)
    except pytest.UsageError:
        if session.config.stash[HARNESS].active:
            drop_page(session.config)
        raise


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect the files of batches and gates."""
    return file_for(file_path, parent, parent.config.stash[HARNESS])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run gates on targets first: their snapshot is held no longer than it must be."""
    items.sort(key=lambda item: not is_on_target(item))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server before the first item, so that what is wrong with it is said once."""
    config = session.config
    if config.getoption("collectonly") or _is_worker(config):
        return
    if any(isinstance(item, ArtifactItem) and not is_on_target(item) for item in session.items):
        _start(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker the address of the controller's server, and of its desk for targets."""
    harness = node.config.stash[HARNESS]
    if not harness.active:
        return
    lent: dict[str, Any] = {}
    if server := _start(node.config):
        lent |= {"server": server.to_dict(), "run_id": harness.run_id}
    if harness.targets:
        lent["desk"] = harness.desk.open_service()
    node.workerinput["batchgate"] = lent


def _start(config: pytest.Config) -> Server | None:
    """Start the server; where gates have targets, only what needs it fails without."""
    harness = config.stash[HARNESS]
    try:
        return harness.server
    except BatchgateError as error:
        if harness.targets:
            return None
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
        _place(item, error, call.excinfo)
        plain = call.excinfo.getrepr(style="value", chain=False)
        crash = getattr(plain, "reprcrash", None)
        if crash is not None:
            crash.message = str(error)
        report.longrepr = plain
    return report


def _place(
    item: pytest.Item, error: BatchgateError, caught: pytest.ExceptionInfo[BaseException]
) -> None:
    """Let an error that names no line name the one in the test that met it."""
    lines = [entry.lineno + 1 for entry in caught.traceback if Path(entry.path) == item.path]
    if lines and not error.message.at:
        shown = item.config.stash[HARNESS].settings.relative(item.path)
        error.message = replace(error.message, at=f"{shown}:{lines[-1]}")
        error.args = (str(error.message),)


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[Any, ...] | None:
    """Give what found something, or had nothing to look at, a word of its own."""
    carried = getattr(report, CARRIED, {})
    told = carried.get("gate") or carried.get("check")
    if not told or report.when != "call":
        return None
    state = State(told["state"])
    if report.failed and state is State.NO_RESULT:
        # A failure of the run, and not of the data: whoever reads the line has to see which.
        return "no result", "N", ("NO RESULT", {"red": True})
    return _WORDS.get(state) if report.passed else None


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
    finished = exitstatus in _TO_ITS_END
    harness = config.stash[HARNESS]
    reports = harness.desk.reports() if harness.targets else ()
    run = config.stash[RESULTS].run(harness.suite, finished=finished, targets=reports)
    return run, judge(run, failed=exitstatus == pytest.ExitCode.TESTS_FAILED)
