"""The runs of a batch's files on the way there and back, each with the time it took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from batchgate.batches import FileRun, run_file
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.particulars import Leg, Particulars
from batchgate.suite import Batch

Then = Callable[[psycopg.Connection], object]


class Legs:
    """What was run so far on one database."""

    def __init__(self, heights: Heights, batch: Batch, database: str) -> None:
        self._heights, self._batch, self._database = heights, batch, database
        self._gone: list[Leg] = []

    def go(self, name: str, path: Path | None, then: Then | None = None) -> FileRun:
        """Run a file in a session of its own; raise BatchFailed where it does not go through.

        `then` is done over the same session, once the file is through.
        """
        assert path is not None, "a check is only made of a file that is there"
        with self._heights.connect(self._database) as session:
            ran = run_file(session, self._heights.settings, self._batch, path)
            self._gone.append(Leg(name=name, seconds=ran.seconds, failed=not ran.succeeded))
            if not ran.succeeded:
                raise ran.failure(f"{path.stem} to succeed")
            if then and not session.closed:
                then(session)
        return ran

    @contextmanager
    def carried(self) -> Iterator[None]:
        """Let what fails in between carry the legs that were gone."""
        try:
            yield
        except BatchFailed as failure:
            failure.particulars = self.along(failure.particulars)
            raise

    def along(self, seen: Particulars) -> Particulars:
        """Return what was seen, with the legs that were gone."""
        return replace(seen, legs=tuple(self._gone))
