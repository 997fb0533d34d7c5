"""Apply, validate and roll back one batch, as psql would run its files."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psycopg

from batchgate.config import Settings
from batchgate.errors import BatchFailed
from batchgate.script import Script, ScriptRun, run_script
from batchgate.serverwords import masked, shown_sql
from batchgate.suite import Batch


@dataclass(frozen=True)
class FileRun:
    """One file of a batch, run to its end or its first error."""

    batch: Batch
    path: str
    run: ScriptRun
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Return whether psql would have exited with 0."""
        return self.run.error is None

    def failure(self, expected: str, fix: str = "") -> BatchFailed:
        """Return the message of a file that ended in an error."""
        error = self.run.error
        assert error is not None, "only a run that ended in an error has a failure"
        known = (self.batch.folder / "README.md").is_file()
        causes = "; the batch's README lists the known causes" if known else ""
        return BatchFailed(
            f"batch {self.batch.name}: expected {expected}, "
            f"statement {error.number} of {error.of} failed",
            at=error.at,
            sql=shown_sql(error.sql),
            cause=masked(error.cause, error.sqlstate),
            fix=fix or f"Put it right{causes}.",
        )


def run_file(
    connection: psycopg.Connection, settings: Settings, batch: Batch, path: Path
) -> FileRun:
    """Run one of a batch's files to its end or its first error."""
    script = Script(path, settings.root)
    started = perf_counter()
    run = run_script(connection, script)
    return FileRun(batch, settings.relative(path), run, perf_counter() - started)


def apply_batch(connection: psycopg.Connection, settings: Settings, batch: Batch) -> FileRun:
    """Apply a batch; raise BatchFailed where its migration does not go through."""
    assert batch.migration is not None, "a validation-only folder is never applied"
    ran = run_file(connection, settings, batch, batch.migration)
    if not ran.succeeded:
        raise ran.failure("migration to succeed")
    return ran


def roll_back_batch(connection: psycopg.Connection, settings: Settings, batch: Batch) -> FileRun:
    """Roll a batch back; raise BatchFailed where its rollback does not go through."""
    assert batch.rollback is not None, "an irreversible batch is never rolled back"
    ran = run_file(connection, settings, batch, batch.rollback)
    if not ran.succeeded:
        raise ran.failure("rollback to succeed")
    return ran
