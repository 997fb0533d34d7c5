"""The way in for whoever writes: a database that takes writes, and one run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from batchgate.errors import Refused
from batchgate.operate.place import Place, answered, enter, place_of
from batchgate.reading import read_query
from batchgate.targets.address import Target

# One key in every database: such locks are a database's own.
_KEY = 0x62617463_72756E73
# All that DISCARD ALL does but for giving back the lock. In one piece, so that it is quick. What we
# ask ourselves does not wait for ever behind somebody's lock.
_CLEAN = (
    b"set session authorization default; reset all; deallocate all; close all; unlisten *;"
    b" discard plans; discard temporary; discard sequences; set lock_timeout = '5s'"
)


@dataclass(frozen=True)
class Entrance:
    """A session on the database that a command works on, which holds the lock of runs."""

    connection: psycopg.Connection[Any]
    target: Target
    place: Place
    beside_others: bool = False

    def clean(self) -> None:
        """Leave the session as a new one would be, but for the lock.

        A file may have given that back, as by DISCARD ALL; raises Refused where it is somebody's.
        """
        self.connection.execute(_CLEAN)
        _take_lock(self.connection, self.place, shared=self.beside_others)


@contextmanager
def entered(target: Target, command: str, *, beside_others: bool = False) -> Iterator[Entrance]:
    """Enter a database to write to it, as the only run; or as one of several of that kind.

    Raises TargetUnavailable, and Refused for a pooler, a standby, and where another run is there.
    The lock ends with the session, however that ends.
    """
    connection = enter(target, application_name=f"batchgate {command}")
    try:
        with answered(connection, target):
            place = place_of(connection, target)
            if place.standby:
                raise Refused(
                    f"{target.address}: expected a server that takes writes, found a standby",
                    fix="Name the primary in --dsn.",
                )
            entrance = Entrance(connection, target, place, beside_others)
            entrance.clean()
            yield entrance
            # The session's end gives it back as well, but a moment after we have gone.
            if connection.info.transaction_status == TransactionStatus.IDLE:
                connection.execute("select pg_catalog.pg_advisory_unlock_all()")
    finally:
        connection.close()


def _take_lock(connection: psycopg.Connection[Any], place: Place, *, shared: bool) -> None:
    attempt = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    query = psycopg.sql.SQL("select {}(%s::bigint)").format(
        psycopg.sql.Identifier("pg_catalog", attempt)
    )
    taken = connection.execute(query, [_KEY]).fetchone()
    if taken == (True,):
        return
    holders = connection.execute(read_query("lock_holders.sql"), {"key": _KEY}).fetchall()
    ends = " ".join(f"select pg_terminate_backend({pid});" for pid, _, _ in holders)
    fix = "Wait until it has ended."
    if ends:
        fix += f" Where nobody runs it any more, end its session: {ends}"
    raise Refused(
        f"database {place.database}: expected to be the only run here, found another one",
        rows=[_holder(*holder) for holder in holders],
        fix=fix,
    )


def _holder(pid: int, application: str, since: str | None) -> str:
    return f"pid {pid}, {application or 'no name'}" + (f", since {since}" if since else "")
