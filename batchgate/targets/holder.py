"""A session on a target that holds a snapshot for others, and answers short questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from batchgate.gates.transaction import begin_transaction, end_transaction
from batchgate.limits import Limits
from batchgate.targets.address import Target
from batchgate.targets.line import Line, open_line

_NAME = "snapshot"


class Holder:
    """Connects when first asked and again when it has to; used by one thread at a time.

    Everything but `drop` and `is_alive` raises psycopg.Error, or TargetUnavailable where no
    connection comes.
    """

    def __init__(self, target: Target, limits: Limits) -> None:
        self._target = target
        self._limits = limits
        self._line: Line | None = None
        self.snapshot = ""

    @property
    def broken(self) -> bool:
        """Return whether the session has ended without our doing."""
        return self._line is not None and self._line.broken

    def hold(self) -> str:
        """Begin a transaction, export its snapshot, and keep both until `drop`; return its name."""
        # It is needed for as long as all gates take together.
        lasting = replace(self._limits, transaction_timeout="0")
        line = self._connected()
        begin_transaction(line, lasting, _NAME)
        row = line.execute("select pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None, "the function returns one row"
        self.snapshot = str(row[0])
        return self.snapshot

    def is_alive(self) -> bool:
        """Tell whether a snapshot is held still; what took it away does not matter here."""
        if self.snapshot:
            try:
                self.ask("select 1")
            except psycopg.Error:
                self.drop()
        return bool(self.snapshot)

    def ask(self, query: str | bytes, *values: Any) -> Any:
        """Return the one cell of a query, in the transaction of the snapshot or in a short one."""
        with self.transaction() as line:
            row = line.execute(query, values or None).fetchone()
        return row[0] if row else None

    @contextmanager
    def transaction(self) -> Iterator[Line]:
        """Give the session inside a transaction: that of the snapshot while one is held."""
        line = self._connected()
        if self.snapshot:
            yield line
            return
        try:
            begin_transaction(line, self._limits, _NAME)
            yield line
        finally:
            end_transaction(line)

    def drop(self) -> None:
        """Let go of the snapshot, and leave."""
        self.snapshot = ""
        if self._line:
            self._line.close()

    def _connected(self) -> Line:
        if self._line is None or self._line.closed:
            self.snapshot = ""
            self._line = open_line(self._target, self._limits)
        return self._line
