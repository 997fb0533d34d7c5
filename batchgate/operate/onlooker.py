"""A second session on a database, which tells how far the statements of the first are."""

from collections.abc import Mapping
from threading import Lock
from typing import Any

import psycopg

from batchgate.errors import ServerUnavailable
from batchgate.phases import phases_seen
from batchgate.targets.address import Target, connect

_MOMENT = 0.5  # seconds


class Onlooker:
    """Connects when it is first asked; where no answer comes, nothing is known.

    Whoever runs a statement there hears the reason. One thread asks; another may close, and waits
    no longer than a moment for an answer that nobody needs any more.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session: psycopg.Connection[Any] | None = None
        self._turn = Lock()
        self._closed = False

    def ask(self, host: str, port: int) -> Mapping[int, object]:
        """Return how far the statements of the server's processes are, by their numbers."""
        with self._turn:
            try:
                return {} if self._closed else self._seen(host, port)
            except (psycopg.Error, ServerUnavailable):
                # Asked again in a second, by a new connection where this one is lost.
                return {}
            finally:
                if self._closed:
                    self._leave()

    def close(self) -> None:
        """Leave the server."""
        self._closed = True
        if self._turn.acquire(timeout=_MOMENT):
            self._leave()
            self._turn.release()

    def _seen(self, host: str, port: int) -> Mapping[int, object]:
        session = self._session
        if session is None or session.closed:
            session = self._session = connect(self._target, application_name="batchgate/progress")
            # Whoever looks on must not hang on a server that is slow: a second, and a setting.
            session.execute("set statement_timeout to '1s'")
        # A connection string may name several servers, whose processes have the same numbers.
        there = (session.info.host, session.info.port) == (host, port)
        return phases_seen(session) if there else {}

    def _leave(self) -> None:
        if self._session:
            self._session.close()
