"""A likeness of a database on the run's own server, in place of one more."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from batchgate.binaries import Binaries
from batchgate.config import Settings
from batchgate.heights import Heights
from batchgate.operate.likeness import Likeness
from batchgate.server import Server
from batchgate.stores import Databases
from batchgate.suite import Batch, Suite

MakeLikeness = Callable[[Settings, Suite, Sequence[Batch], int], AbstractContextManager[Likeness]]


def on_server(server: Server, binaries: Binaries) -> MakeLikeness:
    """Return what makes likenesses on a server that runs already."""

    @contextmanager
    def likeness(
        settings: Settings, suite: Suite, batches: Sequence[Batch], major: int
    ) -> Iterator[Likeness]:
        chosen = replace(suite, batches=tuple(batches), gates=(), traffic=())
        store = Databases(server, secrets.token_hex(4))
        heights = Heights(store, settings, chosen, lambda _: None)
        try:
            yield Likeness(heights, binaries)
        finally:
            heights.close()

    return likeness
