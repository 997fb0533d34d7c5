"""A throw-away server on which the batches of a database stand, for what is not tried there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from batchgate.binaries import Binaries, Candidate, find_binaries, find_major
from batchgate.config import Settings
from batchgate.errors import ServerUnavailable
from batchgate.fetch import fetched
from batchgate.harness import Harness
from batchgate.heights import Heights
from batchgate.suite import Batch, Suite


@dataclass(frozen=True)
class Likeness:
    """Databases at each of some batches, and the programs of their server."""

    heights: Heights
    binaries: Binaries


@contextmanager
def likeness(
    settings: Settings, suite: Suite, batches: Sequence[Batch], major: int
) -> Iterator[Likeness]:
    """Start a server of a major version, or of the one at hand, for some batches in their order.

    There may be gaps between them. Raises ServerUnavailable where no server can be started.
    """
    binaries = _binaries(settings, major)
    chosen = replace(settings, pg_bin=str(binaries.directory), pg_bin_source=binaries.source)
    harness = Harness(chosen, replace(suite, batches=tuple(batches), gates=(), traffic=()))
    try:
        yield Likeness(harness.heights, binaries)
    finally:
        harness.close()


def _binaries(settings: Settings, major: int) -> Binaries:
    """Find programs of a major: those asked for, fetched or installed; else what there is.

    Raises ServerUnavailable where there are none, or where those asked for do not run.
    """
    asked, source = settings.pg_bin, settings.pg_bin_source
    chosen = find_binaries(explicit=asked, explicit_source=source) if asked else None
    if chosen and chosen.major == major:
        return chosen
    try:
        return find_major(major, [Candidate("fetched", fetched(major))])
    except ServerUnavailable:
        return chosen or find_binaries(explicit=None, explicit_source="")
