"""What the plugin's own tests share: inner runs borrow our server instead of starting their own."""

import signal
from fnmatch import fnmatchcase

import pytest
from once import once  # noqa: F401
from operated import operated, operated_apart  # noqa: F401
from replicas import pair, programs, shared_pair  # noqa: F401
from sound import SOUND

from batchgate.collect import HARNESS
from batchgate.database import connect, drop_database
from batchgate.server import Server


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: one worker has all of it, and nobody waits for it at the end.

    Workers are given tests in their order, and take over from each other's end.
    """
    items.sort(key=lambda item: "browser" not in getattr(item, "fixturenames", ()))


class Lender:
    """A pytest plugin that lends the inner run a server that already stands."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        session.config.stash[HARNESS].lend(self.server)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Drop the inner run's templates: those of hundreds of runs would fill the memory."""
        ours = f"height_{session.config.stash[HARNESS].run_id}_%"
        with connect(self.server, self.server.maintenance_dbname) as maintenance:
            query = "select datname from pg_database where datname like %s"
            for (name,) in maintenance.execute(query, [ours]).fetchall():
                drop_database(self.server, name, session=maintenance)


@pytest.fixture
def run_inside(pytester, batchgate_server):
    """Run pytest on pytester's folder in this process and on our server.

    Without the plugin that collects garbage five times at the end: our own run does, and its
    heap makes that the dearest part of an inner one. And without the warning that modules are
    here already, which is only true inside.
    """
    inside = ("-p", "no:unraisableexception", "-W", "ignore::pytest.PytestAssertRewriteWarning")
    return lambda *arguments: pytester.runpytest_inprocess(
        *inside, *arguments, plugins=[Lender(batchgate_server)]
    )


@pytest.fixture
def project(pytester, run_inside, monkeypatch):
    """Write a sound project with the given changes and run pytest in it."""
    monkeypatch.setenv("COLUMNS", "200")
    # A run in a job of GitHub's would add what inner runs sum up to the job's own summary.
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(
        changes: dict[str, str | None], *arguments: str, alone: bool = False, page: bool = False
    ) -> pytest.RunResult:
        for path, text in {**SOUND, **changes}.items():
            if text is not None:
                target = pytester.path / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        if alone:
            return pytester.runpytest_subprocess(*arguments)
        # Drawing the page takes a third of such a run.
        return run_inside(*(() if page else ("-p", "no:html")), *arguments)

    return run


@pytest.fixture(scope="session")
def matches():
    """Tell whether one of some lines is like a pattern, in which only * and ? mean more."""
    return lambda pattern, lines: any(
        fnmatchcase(line, pattern.replace("[", "[[]")) for line in lines
    )


@pytest.fixture
def interruptible():
    """Let what is started hear of signals, also where we run in the background, or under nohup."""
    interrupted = signal.signal(signal.SIGINT, signal.default_int_handler)
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGHUP, hung_up)
