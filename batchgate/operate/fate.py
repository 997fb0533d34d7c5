"""How a transaction ended whose connection was lost: the server is asked by a new one."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Event
from typing import Any

import psycopg

from batchgate.errors import ServerUnavailable
from batchgate.operate.interruption import Interruption
from batchgate.targets.address import Target, connect

# In seconds: a server that starts anew after a crash is there within them, mostly.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Fate(StrEnum):
    """How a transaction ended."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "not known"


_FATES = {"committed": Fate.COMMITTED, "aborted": Fate.ROLLED_BACK}


def fate_of(target: Target, xid: str, stop: Interruption) -> Fate:
    """Return how the transaction of a number ended, by a connection of its own.

    It may be in progress for a while: the server has not noticed yet that its client is gone.
    """
    wait = Event().wait if stop.requested else stop.pause
    for pause in _PAUSES[:1] if stop.given_up else _PAUSES:
        if fate := _asked(target, xid):
            return fate
        wait(pause)
    return Fate.UNKNOWN


def _asked(target: Target, xid: str) -> Fate | None:
    """Ask once; None where no answer comes, or the transaction has not ended."""
    try:
        with reached(target) as session:
            row = session.execute(
                "select pg_catalog.pg_xact_status(%s::pg_catalog.xid8)", [xid]
            ).fetchone()
    except (psycopg.Error, ServerUnavailable):
        return None
    return _FATES.get(row[0] or "") if row else None


@contextmanager
def reached(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a server to ask it something short."""
    with connect(target, application_name="batchgate onlooker") as session:
        session.execute("set statement_timeout = '5s'")
        yield session
