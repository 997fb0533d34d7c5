"""What the checks share: a clone with a session that only looks, and files run on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from batchgate.batches import FileRun, apply_batch, roll_back_batch, run_file
from batchgate.heights import Heights
from batchgate.serverwords import masked
from batchgate.suite import Batch


@contextmanager
def watched(heights: Heights, batch: Batch | None) -> Iterator[tuple[str, psycopg.Connection]]:
    """Give a clone and a session that only looks: its second look at the catalogs is cheap."""
    with heights.clone(batch) as database, heights.connect(database) as observer:
        yield database, observer


def below(heights: Heights, batch: Batch) -> Batch | None:
    """Return the height that a batch is applied from."""
    return heights.suite.below(batch)


def run(heights: Heights, database: str, batch: Batch, path: Path | None) -> FileRun:
    """Run one of a batch's files in a session of its own, to its end or its first error."""
    assert path is not None, "a check is only made of a file that is there"
    with heights.connect(database) as session:
        return run_file(session, heights.settings, batch, path)


def apply(heights: Heights, database: str, batch: Batch) -> FileRun:
    """Apply a batch in a session of its own; raise BatchFailed where it does not go through."""
    with heights.connect(database) as session:
        return apply_batch(session, heights.settings, batch)


def roll_back(heights: Heights, database: str, batch: Batch) -> FileRun:
    """Roll a batch back in a session of its own; raise BatchFailed where that fails."""
    with heights.connect(database) as session:
        return roll_back_batch(session, heights.settings, batch)


def shown(heights: Heights, path: Path | None) -> str:
    """Return a batch's file as messages print it."""
    assert path is not None, "a check is only made of a file that is there"
    return heights.settings.relative(path)


def refusal(ran: FileRun) -> tuple[str, ...]:
    """Return in a note that a file was refused, or nothing."""
    error = ran.run.error
    return (f"refused: {masked(error.message, error.sqlstate)}",) if error else ()
