"""What a scenario may ask for: a database at a batch, sessions, and single steps."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property

import pytest
from pytest_postgresql import factories

from batchgate.batches import FileRun, run_file
from batchgate.catalog import compare
from batchgate.collect import HARNESS
from batchgate.contents import compare_contents
from batchgate.errors import SuiteError
from batchgate.harness import Harness
from batchgate.script import Script, Step, steps
from batchgate.server import Server
from batchgate.sessions import Connection, Session
from batchgate.states import State, take_state
from batchgate.undone import Shelf, Undone

SHELF = pytest.StashKey[Shelf]()


class Database:
    """A clone at the height of a batch, and the sessions that talk to it."""

    def __init__(self, harness: Harness, name: str, stack: ExitStack) -> None:
        self.name = name
        self.harness = harness
        self._stack = stack

    @cached_property
    def _observer(self) -> Connection:
        """Keep one session that only looks, for who asks."""
        return self._stack.enter_context(self.harness.heights.connect(self.name))

    def session(self, name: str) -> Session:
        """Open a session of that name."""
        session = Session(name, self.harness.heights.connect(self.name), lambda: self._observer)
        self._stack.callback(session.close)
        return session

    def steps(self, batch: str, file: str = "migration.sql") -> Iterator[Step]:
        """Run a batch's file statement by statement, with a look in between."""
        path = self.harness.suite.batch(batch).folder / file
        session = self._stack.enter_context(self.harness.heights.connect(self.name))
        yield from steps(session, Script(path, self.harness.settings.root))

    def apply(self, batch: str) -> FileRun:
        """Run a batch's migration to its end or its first error."""
        return self._run(batch, "migration.sql")

    def validate(self, batch: str) -> FileRun:
        """Run a batch's validation to its end or its first error."""
        return self._run(batch, "validation.sql")

    def roll_back(self, batch: str) -> FileRun:
        """Run a batch's rollback to its end or its first error."""
        return self._run(batch, "rollback.sql")

    def state(self) -> State:
        """Read schema and data as they stand now."""
        return take_state(self._observer)

    def changes_since(self, before: State) -> list[str]:
        """List what differs from an earlier state, in schema and in data."""
        after = self.state()
        schema = compare(before.schema, after.schema)
        return [str(difference) for difference in schema if not difference.soft] + [
            str(difference) for difference in compare_contents(before.contents, after.contents)
        ]

    def _run(self, name: str, file: str) -> FileRun:
        batch = self.harness.suite.batch(name)
        with self.harness.heights.connect(self.name) as connection:
            return run_file(connection, self.harness.settings, batch, batch.folder / file)


class AtBatch:
    """Gives databases at a height; each call gives a clone of its own."""

    def __init__(self, harness: Harness, stack: ExitStack) -> None:
        self._harness = harness
        self._stack = stack
        self._latest: Database | None = None

    def __call__(self, name: str | None, *, sample: bool = True) -> Database:
        """Give a database where the batches up to `name` stand; None for an empty one."""
        batch = self._harness.suite.batch(name) if name else None
        clone = self._stack.enter_context(self._harness.heights.clone(batch, sample=sample))
        self._latest = Database(self._harness, clone, self._stack)
        return self._latest

    @property
    def latest(self) -> Database:
        """Return the database given last."""
        if self._latest is None:
            raise SuiteError(
                "expected a database at the height of a batch, found none",
                fix="Call at_batch(…) before asking for sessions or steps.",
            )
        return self._latest


@pytest.fixture(scope="session")
def batchgate_server(request: pytest.FixtureRequest) -> Server:
    """Return the throw-away server's address: one for all workers, started when asked for."""
    return request.config.stash[HARNESS].server


batchgate_postgresql = factories.postgresql_noproc(depends_on="batchgate_server")


@pytest.fixture
def at_batch(request: pytest.FixtureRequest) -> Iterator[AtBatch]:
    """Give a database where the batches up to the named one stand, dropped afterwards.

    `at_batch(None)` is an empty database; `sample=False` leaves the sample data out.
    """
    with ExitStack() as stack:
        yield AtBatch(request.config.stash[HARNESS], stack)


@pytest.fixture
def session(at_batch: AtBatch) -> Callable[[str], Session]:
    """Open named sessions on the database that `at_batch` gave last."""
    return lambda name: at_batch.latest.session(name)


@pytest.fixture
def steps_of(at_batch: AtBatch) -> Callable[..., Iterator[Step]]:
    """Run a batch's file statement by statement on the database that `at_batch` gave last."""
    return lambda batch, file="migration.sql": at_batch.latest.steps(batch, file)


@pytest.fixture
def undone(request: pytest.FixtureRequest) -> Iterator[Callable[..., Undone]]:
    """Give a session where the batches up to the named one stand, all of it undone afterwards.

    It is alone in its database and within a transaction, for what needs neither a second session
    nor a commit: then no clone is made for each test.
    """
    with ExitStack() as stack:
        harness = request.config.stash[HARNESS]
        given: dict[tuple[str | None, bool], Undone] = {}

        def lend(name: str | None, *, sample: bool = True) -> Undone:
            if (name, sample) not in given:
                batch = harness.suite.batch(name) if name else None
                lent = _shelf(request.config).lent(batch, sample=sample)
                given[name, sample] = stack.enter_context(lent)
            return given[name, sample]

        yield lend


def _shelf(config: pytest.Config) -> Shelf:
    """Return this process's shelf, which is emptied before its server stops."""
    if SHELF not in config.stash:
        config.stash[SHELF] = Shelf(config.stash[HARNESS].heights)
        config.add_cleanup(config.stash[SHELF].close)
    return config.stash[SHELF]
