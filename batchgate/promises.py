"""What a suite's files owe and hold, so that a report can name what did not run."""

from pathlib import Path

from batchgate.rehearsal.checks import checks_of
from batchgate.run import Promised
from batchgate.suite import Batch, Suite


def promised_by(suite: Suite) -> tuple[Promised, ...]:
    """Return the suite's batches with every check that their files owe, and their text."""
    return tuple(
        Promised(
            name=batch.name,
            number=batch.number,
            summary=batch.summary,
            checks=tuple(
                f"{file}::{check}"
                for file, checks in checks_of(batch, suite).items()
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
