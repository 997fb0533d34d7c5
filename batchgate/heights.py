"""Databases at the height of a batch: a template made once per run, a clone for each who asks."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg

from batchgate.batches import FileRun, apply_batch, run_file
from batchgate.config import Settings
from batchgate.database import connect, create_database, drop_database, ensure_template
from batchgate.errors import BatchFailed
from batchgate.server import Server
from batchgate.suite import Batch, Suite
from batchgate.verdict import Application


class Heights:
    """Gives databases at any height, with or without the sample data.

    Templates are shared by all workers of a run; `applied` hears of each batch that this
    process applied on the way up with the sample data.
    """

    def __init__(
        self,
        server: Server,
        settings: Settings,
        suite: Suite,
        run_id: str,
        applied: Callable[[Application], None],
    ) -> None:
        self.server = server
        self.settings = settings
        self.suite = suite
        self._run_id = run_id
        self._applied = applied
        self._numbers = count(1)
        self._made: set[str] = set()
        self._failed: dict[str, BatchFailed] = {}

    @cached_property
    def _maintenance(self) -> psycopg.Connection:
        """Keep one session for making and dropping clones, of which there are very many."""
        return connect(self.server, self.server.maintenance_dbname)

    def close(self) -> None:
        """End that session."""
        self._maintenance.close()

    @contextmanager
    def clone(self, batch: Batch | None, *, sample: bool = True) -> Iterator[str]:
        """Give a database where the batches up to `batch` stand; it is dropped afterwards."""
        template = self._template(batch, sample)
        name = f"clone_{self._run_id}_{os.getpid()}_{next(self._numbers)}"
        maintenance = self._maintenance
        create_database(self.server, name, template, session=maintenance)
        try:
            yield name
        finally:
            drop_database(self.server, name, session=maintenance)

    def connect(self, database: str) -> psycopg.Connection:
        """Connect to a clone as its owner."""
        return connect(self.server, database)

    def _template(self, batch: Batch | None, sample: bool) -> str | None:
        """Make sure the template of a height stands and return its name.

        Raises BatchFailed where a batch on the way up did not apply; the failure is kept,
        so that it is not tried again for every check above it.
        """
        if batch is None:
            return None
        kind = "sample" if sample else "empty"
        name = f"height_{self._run_id}_{batch.number:02d}_{kind}"
        if name in self._made:
            return name
        if name in self._failed:
            raise self._failed[name]
        base = self._template(self.suite.below(batch), sample)
        try:
            ensure_template(
                self.server, name, base, lambda connection: self._climb(connection, batch, sample)
            )
        except BatchFailed as failure:
            self._failed[name] = failure
            raise
        self._made.add(name)
        return name

    def _climb(self, connection: psycopg.Connection, batch: Batch, sample: bool) -> None:
        if batch.migration:
            try:
                ran = apply_batch(connection, self.settings, batch)
            except BatchFailed as failure:
                if sample:
                    self._tell(batch, 0.0, failure.message.headline)
                raise
            if sample:
                self._tell(batch, ran.seconds)
        if sample and (path := self._sample_file(batch)):
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

    def _sample_file(self, batch: Batch) -> Path | None:
        for path in sorted(self.settings.sample.glob("*.sql")):
            if path.stem.isdigit() and int(path.stem) == batch.number:
                return path
        return None


def _loaded(ran: FileRun) -> None:
    if not ran.succeeded:
        raise ran.failure(
            f"sample data {ran.path} to load", "Put the sample file right; it spans heights."
        )
