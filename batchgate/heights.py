"""Databases at the height of a batch: a template made once per run, a clone for each who asks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

import psycopg

from batchgate.activity import Stage
from batchgate.batches import FileRun, apply_batch, run_file
from batchgate.catalog import Snapshot, take_snapshot
from batchgate.config import Settings
from batchgate.contract import expect_known_catalogs
from batchgate.errors import BatchFailed
from batchgate.run import Application
from batchgate.samples import sample_of
from batchgate.stores import Store
from batchgate.suite import Batch, Suite

T = TypeVar("T")


class Heights:
    """Gives databases at any height, with or without the sample data.

    Templates are shared by all workers of a run; `applied` hears of each batch that this
    process applied on the way up with the sample data.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        suite: Suite,
        applied: Callable[[Application], None],
    ) -> None:
        self.settings = settings
        self.suite = suite
        self._store = store
        self._applied = applied
        self._made: set[str] = set()
        self._begun: set[bool] = set()
        self._failed: dict[str, BatchFailed] = {}
        self._kept: dict[tuple[str, ...], Any] = {}

    def close(self) -> None:
        """End what is kept open for making clones."""
        self._store.close()

    def clone(self, batch: Batch | None, *, sample: bool = True) -> AbstractContextManager[str]:
        """Give a database where the batches up to `batch` stand; it is dropped afterwards."""
        return self._store.copy(self._template(batch, sample))

    def connect(self, database: str) -> psycopg.Connection:
        """Connect to a clone as its owner."""
        return self._store.connect(database)

    def schema_at(self, batch: Batch | None) -> Snapshot:
        """Return what stands at a height; it is looked at once and kept."""

        def look() -> Snapshot:
            with self.clone(batch) as database, self.connect(database) as session:
                return take_snapshot(session)

        return self.keep(("schema", batch.name if batch else ""), look)

    def keep(self, name: tuple[str, ...], find: Callable[[], T]) -> T:
        """Return what is known under a name, found when it is first asked for in this process."""
        if name not in self._kept:
            self._kept[name] = find()
        kept: T = self._kept[name]
        return kept

    def _template(self, batch: Batch | None, sample: bool) -> str | None:
        """Make sure the template of a height stands and return its name.

        Raises BatchFailed where a batch on the way up did not apply; the failure is kept,
        so that it is not tried again for every check above it.
        """
        if batch is None:
            return None
        kind = "sample" if sample else "empty"
        name = f"{batch.number:02d}_{kind}"
        if name in self._made:
            return name
        if name in self._failed:
            raise self._failed[name]
        if sample not in self._begun:
            self._climb_at_once(name, batch, sample)
        else:
            base = self._template(self.suite.below(batch), sample)
            try:
                self._store.ensure(name, base, partial(self._climb, batch, sample))
            except BatchFailed as failure:
                self._failed[name] = failure
                raise
        self._made.add(name)
        return name

    def _climb_at_once(self, name: str, batch: Batch, sample: bool) -> None:
        """Make the first template that is asked for, without those below it.

        Who asks for the top alone, as gates do, is spared a copy for each batch. The next one goes
        step by step: also where a batch did not apply, for what stands below it.
        """
        self._begun.add(sample)
        way = (partial(self._climb, each, sample) for each in self.suite.up_to(batch))
        self._store.ensure(name, None, *way)

    def _climb(self, batch: Batch, sample: bool, connection: psycopg.Connection) -> None:
        with Stage(f"up to {batch.name}"):
            self._apply(connection, batch, sample)

    def _apply(self, connection: psycopg.Connection, batch: Batch, sample: bool) -> None:
        if self.suite.below(batch) is None:
            expect_known_catalogs(connection)
        if batch.migration:
            try:
                ran = apply_batch(connection, self.settings, batch)
            except BatchFailed as failure:
                if sample:
                    self._tell(batch, 0.0, failure.message.headline)
                raise
            if sample:
                self._tell(batch, ran.seconds)
        if sample and (path := sample_of(batch, self.settings)):
            # What a file set for its session ends with it, as it does under psql.
            connection.execute("discard all")
            _loaded(run_file(connection, self.settings, batch, path))

    def _tell(self, batch: Batch, seconds: float, error: str = "") -> None:
        self._applied(
            Application(
                batch=batch.name,
                number=batch.number,
                summary=batch.summary,
                seconds=seconds,
                error=error,
            )
        )


def _loaded(ran: FileRun) -> None:
    if not ran.succeeded:
        raise ran.failure(
            f"sample data {ran.path} to load",
            "It is loaded on top of the batches and samples below it: put right what collides.",
        )
