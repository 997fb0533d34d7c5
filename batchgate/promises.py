"""What a suite's files owe and hold, so that a report can name what did not run."""

from pathlib import Path
from typing import TYPE_CHECKING

from batchgate.run import Promised
from batchgate.suite import Batch, Suite

if TYPE_CHECKING:
    from batchgate.rehearsal.checks import Checks


def owed_by(batch: Batch, suite: Suite) -> "dict[str, Checks]":
    """Return what a batch's files have to prove: by file, by the check's name."""
    # Imported when it is asked for: it is a third of all our modules, and gates do without.
    from batchgate.rehearsal.checks import checks_of

    return checks_of(batch, suite)


def promised_by(suite: Suite) -> tuple[Promised, ...]:
    """Return the suite's batches with every check that their files owe, and their text."""
    return tuple(
        Promised(
            name=batch.name,
            number=batch.number,
            summary=batch.summary,
            checks=tuple(
                f"{file}::{check}"
                for file, checks in owed_by(batch, suite).items()
                for check in checks
            ),
            irreversible=batch.irreversible,
            files=tuple((path.name, _text(path)) for path in _files(batch)),
        )
        for batch in suite.batches
    )


def _files(batch: Batch) -> list[Path]:
    return [path for name in batch.FILES if (path := batch.folder / name).is_file()]


def _text(path: Path) -> str:
    """Return a file's text; what is no UTF-8 was refused when its checks were collected."""
    return path.read_text(encoding="utf-8", errors="replace")
