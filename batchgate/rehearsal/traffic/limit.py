"""An operator's lock_timeout, and what a file makes of it."""

import re

import psycopg
from psycopg.pq import TransactionStatus

from batchgate.psqloutput import Step

_UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_RESETTING = ("reset", "discard")


class Limit:
    """A lock_timeout set for a file's session, in milliseconds.

    `lifted` is the statement of the file that took it away.
    """

    def __init__(self, session: psycopg.Connection, milliseconds: int) -> None:
        self.lifted: Step | None = None
        self._session = session
        self._milliseconds = milliseconds
        self._set("session")

    def keep(self, last: Step | None) -> None:
        """Look what holds before the next statement; a longer limit of the file's is shortened.

        It is a limit all the same, and we need not wait for its end.
        """
        status = self._session.info.transaction_status
        if self._session.closed or status not in (
            TransactionStatus.IDLE,
            TransactionStatus.INTRANS,
        ):
            return
        found = self._found()
        if 0 < found <= self._milliseconds:
            self.lifted = None
        elif found or (last and last.statement.text.lower().startswith(_RESETTING)):
            # An operator's own default would have come back by RESET.
            self.lifted = None
            self._set("local" if status == TransactionStatus.INTRANS else "session")
        else:
            self.lifted = self.lifted or last

    def _found(self) -> int:
        row = self._session.execute("show lock_timeout", prepare=False).fetchone()
        match = re.fullmatch(r"(\d+)([a-z]*)", row[0]) if row else None
        return int(match[1]) * _UNITS.get(match[2], 1) if match else 0

    def _set(self, scope: str) -> None:
        statement = f"set {scope} lock_timeout = {self._milliseconds}"
        self._session.execute(statement.encode(), prepare=False)
