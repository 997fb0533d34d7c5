"""Sessions with a thread each, so that one can wait while others go on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg

Connect = Callable[[], psycopg.Connection]


class Actor:
    """A named session that makes one move after another, and may have to wait in any of them.

    `bounded` says that a move may not take for ever, even where nothing makes it wait.
    """

    def __init__(self, name: str, connect: Connect, *, bounded: bool = True) -> None:
        self.name = name
        self.bounded = bounded
        self.move: Future[None] | None = None
        self._connect = connect
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._open()

    @property
    def moving(self) -> bool:
        """Tell whether a move is under way; raise what went wrong with one that is over."""
        if self.move is not None and self.move.done():
            ended, self.move = self.move, None
            ended.result()
        return self.move is not None

    def start(self, move: Callable[[], None]) -> None:
        """Begin a move without waiting for its end."""
        assert not self.moving, f"{self.name} has not ended its last move"
        if self.connection.closed:
            # As the application's pool does for a session that the server ended.
            self._open()
        self.move = self._worker.submit(move)

    def close(self) -> None:
        """End the session and its thread; a move under way must have been ended before."""
        self._worker.shutdown(wait=True)
        self.connection.close()

    def _open(self) -> None:
        self.connection = self._connect()
        self.pid = self.connection.info.backend_pid
