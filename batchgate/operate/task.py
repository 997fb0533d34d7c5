"""What is to be done to a database: files of batches, one after the other, and how they are run."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batchgate.header import BATCH_KEYS, read_header
from batchgate.sqltext import read_sql
from batchgate.suite import Batch

CLIENT_CHECK = "client_connection_check_interval"


class Route(StrEnum):
    """Which file of a batch is run."""

    ORDINARY = "ordinary"
    ONLINE = "online"
    ROLLBACK = "rollback"
    VALIDATION = "validation"


@dataclass(frozen=True)
class Task:
    """One file of a batch that is to be run; `stood` tells that the batch stands before it is."""

    batch: Batch
    path: Path
    route: Route
    stood: bool = False

    @property
    def applies(self) -> bool:
        """Tell whether the batch stands once the file has been run."""
        return self.route in (Route.ORDINARY, Route.ONLINE)

    @property
    def sentence(self) -> str:
        """Return the sentence that the file opens with: what is true afterwards, or lost."""
        text = read_sql(self.path)
        return read_header(text, path=self.path.name, keys=BATCH_KEYS, required=False).sentence


@dataclass(frozen=True)
class Plan:
    """Files in the order in which they are run, and why others are not."""

    tasks: tuple[Task, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How files are run: the settings that they read, and what is done where a lock is not got."""

    dry: bool = False
    verbose: bool = False
    chunk: int | None = None
    lock_timeout: str = "2s"
    retries: int = 5

    def settings(self) -> dict[str, str]:
        """Return what is set on the session before a file is run.

        The server looks after a second whether a client that was killed is still there.
        """
        given = {
            "lock_timeout": self.lock_timeout,
            CLIENT_CHECK: "1s",
            "batchgate.dry_run": "on" if self.dry else "",
            "batchgate.verbose": "on" if self.verbose else "",
            "batchgate.chunk": str(self.chunk or ""),
        }
        return {name: value for name, value in given.items() if value}
