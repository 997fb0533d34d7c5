"""What looks at a database between two files, with several sessions at once."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

import psycopg

from batchgate.catalog import Snapshot, take_snapshot
from batchgate.contents import Contents, take_contents
from batchgate.heights import Heights


class Sight(NamedTuple):
    """What stood after a file, and what tables held, where that was asked for."""

    schema: Snapshot
    contents: Contents | None = None


class Lookout:
    """Reads schema and rows side by side, while the session for the next file is opened.

    Nothing else goes on then, so all of them see the same: no file runs before both were read, and
    no session is opened before the last file has ended.
    """

    def __init__(self, heights: Heights, database: str) -> None:
        self._connect: Callable[[], psycopg.Connection] = lambda: heights.connect(database)
        self._next: Future[psycopg.Connection] | None = None
        self._held = ExitStack()

    def __enter__(self) -> "Lookout":
        """Open the sessions that look: their second look at the catalogs is cheap."""
        self._beside = self._held.enter_context(ThreadPoolExecutor(2, "lookout"))
        self._held.callback(self._drop_next)
        self._of_schema = self._held.enter_context(self._connect())
        self._of_rows = self._held.enter_context(self._connect())
        return self

    def __exit__(self, *_: object) -> None:
        """Close every session, also the one that no file has used."""
        self._held.close()

    def look(self, like: Snapshot | None = None, *, rows: bool = True) -> Sight:
        """Look at what stands now; what is the same in `like` is kept only once."""
        contents = self._beside.submit(take_contents, self._of_rows) if rows else None
        if self._next is None:
            self._next = self._beside.submit(self._connect)
        schema = take_snapshot(self._of_schema, like)
        return Sight(schema, contents.result() if contents else None)

    def session(self) -> psycopg.Connection:
        """Give a new session for the next file."""
        opened, self._next = self._next, None
        return opened.result() if opened else self._connect()

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.result().close()
