"""Find the batches and gates of a project, and refuse what is wrong with their files."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from batchgate.batchfiles import numbered_folder, read_batch
from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.gatefiles import read_gates
from batchgate.header import Header
from batchgate.listing import entries, guarded
from batchgate.samples import check_samples
from batchgate.suite import Batch, Gate, Suite, Traffic
from batchgate.trafficfiles import read_traffic


def discover(settings: Settings) -> Suite:
    """Read the batches and gates of a project; what is wrong is returned, all of it."""
    problems: list[SuiteError] = []
    _check_folders(settings, problems)
    batches = tuple(_batches(settings, problems))
    known = None if problems else batches
    _check_numbers(batches, settings, problems)
    _check_requires(batches, settings, problems)
    gates = guarded(problems, settings, partial(_gates, settings, known, problems)) or ()
    if batches:
        guarded(problems, settings, partial(check_samples, settings, batches, problems))
    traffic = guarded(problems, settings, partial(_traffic, settings, known, problems)) or ()
    return Suite(batches, gates, tuple(problems), traffic)


def _check_folders(settings: Settings, problems: list[SuiteError]) -> None:
    """Refuse a folder that a setting names and that is none; the usual ones may be missing."""
    for name, folder in settings.chosen.items():
        if not folder.is_dir():
            problems.append(
                SuiteError(
                    f"{name}: expected a folder, found none at {settings.relative(folder)}",
                    fix="Put the setting right, or make the folder.",
                )
            )


def _batches(settings: Settings, problems: list[SuiteError]) -> Iterator[Batch]:
    found = guarded(problems, settings, partial(_folders, settings, problems)) or []
    for batch in sorted(found, key=lambda batch: (batch.number, batch.name)):
        header = guarded(problems, settings, partial(read_batch, batch, settings))
        yield Batch(batch.name, batch.number, batch.folder, header or Header())


def _folders(settings: Settings, problems: list[SuiteError]) -> list[Batch]:
    """Return the batches with their headers unread."""
    if not settings.sql.is_dir():
        return []
    found = [
        guarded(problems, settings, partial(numbered_folder, path, settings))
        for path in entries(settings.sql)
    ]
    return [batch for batch in found if batch]


def _gates(
    settings: Settings, batches: Sequence[Batch] | None, problems: list[SuiteError]
) -> tuple[Gate, ...]:
    return tuple(read_gates(settings, batches, problems)) if settings.gates.is_dir() else ()


def _traffic(
    settings: Settings, batches: Sequence[Batch] | None, problems: list[SuiteError]
) -> tuple[Traffic, ...]:
    """Return the sessions; a project without batches has nothing that they could meet."""
    return tuple(read_traffic(settings, batches, problems)) if batches != () else ()


def _check_numbers(
    batches: Sequence[Batch], settings: Settings, problems: list[SuiteError]
) -> None:
    for lower, upper in pairwise(batches):
        if upper.number == lower.number:
            problems.append(
                SuiteError(
                    f"batch {upper.name}: expected a number of its own, "
                    f"found {upper.number} also at {lower.name}",
                    at=settings.relative(upper.folder),
                    fix="Renumber one of the two: the number is the order.",
                )
            )
        elif upper.number > lower.number + 1:
            problems.append(
                SuiteError(
                    f"batch {upper.name}: expected number {lower.number + 1} "
                    f"after {lower.name}, found {upper.number}",
                    at=settings.relative(upper.folder),
                    fix="Close the gap: renumber the folder, or restore the missing batch.",
                )
            )


def _check_requires(
    batches: Sequence[Batch], settings: Settings, problems: list[SuiteError]
) -> None:
    for index, batch in enumerate(batches):
        earlier = {each.name for each in batches[:index]}
        for name in batch.requires:
            if name not in earlier and batch.migration:
                problems.append(
                    SuiteError(
                        f"batch {batch.name}: expected `requires` to name earlier batches, "
                        f"found `{name}`",
                        at=f"{settings.relative(batch.migration)}:{batch.header.line('requires')}",
                        fix=f"One of: {', '.join(sorted(earlier)) or 'none stands before it'}.",
                    )
                )
