"""How far a server is with a statement: its progress views, and who waits for a lock."""

from collections.abc import Mapping
from typing import NamedTuple

import psycopg

from batchgate.cluster import SUPERUSER
from batchgate.database import connect
from batchgate.errors import ServerUnavailable
from batchgate.reading import read_query
from batchgate.server import Server

# What a view says of a statement is more than that it waits, so that comes last.
_QUERIES = (
    "progress_analyze.sql",
    "progress_cluster.sql",
    "progress_copy.sql",
    "progress_create_index.sql",
    "progress_vacuum.sql",
    "progress_waits.sql",
)


class Phase(NamedTuple):
    """What a statement is at, and how much of it is done; of how much may not be known: 0."""

    doing: str
    done: int
    total: int
    unit: str

    def __str__(self) -> str:
        if self.total and self.unit:
            return f"{self.doing} ({self.done} of {_counted(self.total, self.unit)})"
        if self.total:
            return f"{self.doing} {100 * self.done // self.total} %"
        return f"{self.doing}, {_counted(self.done, self.unit)}" if self.unit else self.doing


def phases_on(host: str, port: int) -> Mapping[int, Phase]:
    """Ask a throw-away server how far its statements are, by the numbers of its processes.

    A session of a moment, on a database that nobody copies or drops. Where no answer comes, nothing
    is known: whoever runs a statement there hears the reason.
    """
    server = Server(host=host, port=port, user=SUPERUSER, version="", source="", bin_directory="")
    try:
        # Whoever looks on must not hang on a server that is slow: seconds, and a setting.
        patience = "-c statement_timeout=1s"
        with connect(
            server, server.maintenance_dbname, connect_timeout="2", options=patience
        ) as session:
            return phases_seen(session)
    except (psycopg.Error, ServerUnavailable):
        return {}


def phases_seen(session: psycopg.Connection) -> Mapping[int, Phase]:
    """Ask by an open session how far its server's statements are; raises psycopg.Error."""
    found: dict[int, Phase] = {}
    for query in _QUERIES:
        for pid, *told in session.execute(read_query(query)):
            found.setdefault(pid, Phase(*told))
    return found


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", " ")
