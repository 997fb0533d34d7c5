"""The sample data: NN.sql is loaded once batch NN stands."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.listing import entries, guarded, is_sql
from batchgate.psqlfile import Script
from batchgate.suite import Batch


def sample_of(batch: Batch, settings: Settings) -> Path | None:
    """Return the file to load once a batch stands."""
    numbered = (path for path in _files(settings) if _number(path) == batch.number)
    return next(numbered, None)


def check_samples(settings: Settings, batches: Sequence[Batch], problems: list[SuiteError]) -> None:
    """Refuse sample files that no batch would load, or that cannot be run."""
    numbers = {batch.number for batch in batches}
    seen: dict[int, str] = {}
    for path in _files(settings):
        guarded(problems, settings, partial(_check, path, settings, numbers, seen))


def _check(path: Path, settings: Settings, numbers: set[int], seen: dict[int, str]) -> None:
    where = settings.relative(path)
    number = _number(path)
    if number not in numbers:
        raise SuiteError(
            f"{where}: expected the number of a batch, found `{path.stem}`",
            at=where,
            fix="Name it NN.sql: it is loaded once batch NN stands.",
        )
    if number in seen:
        raise SuiteError(
            f"{where}: expected one sample file for batch {number}, found {seen[number]} too",
            at=where,
            fix="Make one file of the two.",
        )
    seen[number] = path.name
    if not path.is_file():
        raise SuiteError(
            f"{where}: expected a file, found none", at=where, fix="Put a file in its place."
        )
    Script(path, settings.root)


def _files(settings: Settings) -> Iterator[Path]:
    if settings.sample.is_dir():
        yield from (path for path in entries(settings.sample) if is_sql(path))


def _number(path: Path) -> int | None:
    """Return a file's number; `isdigit` would take superscripts, which are none."""
    return int(path.stem) if path.stem.isdecimal() and path.suffix == ".sql" else None
