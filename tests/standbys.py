"""A standby made of a copy of a running server, with pg_basebackup or without."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from waits import until

from batchgate import privileges
from batchgate.binaries import Binaries
from batchgate.cluster import SETTINGS, Cluster, last_lines
from batchgate.database import connect
from batchgate.errors import ServerUnavailable
from batchgate.privileges import Account
from batchgate.server import Fill, Server, ThrowAwayServer

_RENAMED = 150000


@contextmanager
def standby_of(
    binaries: Binaries, copied: Server, upstream: Server, settings: Mapping[str, str]
) -> Iterator[Server]:
    """Start a standby made of a copy of one server, and wait until it streams from another."""
    conninfo = upstream.conninfo("postgres") + " application_name=standby"
    told = {"primary_conninfo": conninfo, **settings}
    with ThrowAwayServer({name: told[name] for name in told.keys() & SETTINGS.keys()}) as copy:
        server = copy.start(binaries, fill=_backup(copied, told))
        await_stream(server)
        yield server


def await_stream(server: Server) -> None:
    """Wait until a standby streams."""
    streams = "select count(*) = 1 from pg_stat_wal_receiver where status = 'streaming'"
    with connect(server, "postgres") as session:
        until(lambda: ask(session, streams), "the standby to stream")


def one(session: psycopg.Connection, query: str, *parameters: Any) -> Any:
    """Return the one value that a query gives, or None."""
    row = session.execute(query, parameters or None).fetchone()
    return row[0] if row else None


def ask(session: psycopg.Connection, query: str, *parameters: Any) -> Any:
    """Return the one value that a query gives, asked again where replay cancels even that."""
    while True:
        try:
            return one(session, query, *parameters)
        except errors.SerializationFailure:
            assert not session.closed, "a session without a transaction is not in the way"


def _backup(source: Server, settings: Mapping[str, str]) -> Fill:
    """Return what makes a standby's data of a copy of a running server's."""

    def fill(cluster: Cluster, account: Account, programs: Path) -> None:
        if os.access(programs / "pg_basebackup", os.X_OK):
            _base_backup(source, cluster, account, programs)
        else:
            _copied_backup(source, cluster, account)
        lines = (f"{name} = {_quoted(value)}\n" for name, value in settings.items())
        _write(cluster.data / "standby.signal", "", account)
        with (cluster.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(lines)

    return fill


def _base_backup(source: Server, cluster: Cluster, account: Account, programs: Path) -> None:
    made = privileges.run(
        account,
        cluster.home,
        str(programs / "pg_basebackup"),
        *("--pgdata", str(cluster.data), "--dbname", source.conninfo("")),
        *("--wal-method", "stream", "--checkpoint", "fast", "--no-sync"),
    )
    if made.returncode != 0:
        raise ServerUnavailable(
            f"server: expected pg_basebackup to succeed, it ended with {made.returncode}",
            cause=last_lines(made.stdout),
        )


def _copied_backup(source: Server, cluster: Cluster, account: Account) -> None:
    """Do what pg_basebackup does, with the functions and `cp`; the log comes by the stream."""
    with connect(source, "postgres") as session:
        if session.info.server_version >= _RENAMED:
            start, stop = "pg_backup_start('standby', true)", "pg_backup_stop(false)"
        else:
            start = "pg_start_backup('standby', true, false)"
            stop = "pg_stop_backup(false, false)"
        session.execute(f"select {start}")
        cluster.copy_data(account, Cluster(Path(source.host).parent))
        label = one(session, f"select labelfile from {stop}")
    for name in ("postmaster.pid", "postmaster.opts"):
        (cluster.data / name).unlink()
    for path in (cluster.data / "pg_wal").iterdir():
        if path.is_file():
            path.unlink()
    _write(cluster.data / "backup_label", label, account)


def _write(path: Path, text: str, account: Account) -> None:
    path.write_text(text)
    shutil.chown(path, *account.owner)


def _quoted(value: str) -> str:
    inside = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{inside}'"
