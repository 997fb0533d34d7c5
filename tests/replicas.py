"""A real primary and its real streaming standby, and whatever can go wrong between the two."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import sql
from standbys import ask, await_stream, one, standby_of
from waits import PATIENCE, until

from batchgate.binaries import Binaries, find_binaries
from batchgate.collect import HARNESS
from batchgate.database import connect
from batchgate.server import Server, ThrowAwayServer

_PRIMARY = {
    # An idle writer of the log takes five seconds to write what has no commit.
    "wal_writer_delay": "10ms",
    # Else a standby that was cut off finds its log gone, and none can be copied from a standby.
    "wal_keep_size": "256MB",
    "full_page_writes": "on",
}
# In a file, where a test can change them; the command line could not be overruled.
_STANDBY = {
    "hot_standby_feedback": "off",
    # Whoever is in the way of replay is cancelled at once.
    "max_standby_streaming_delay": "0",
    "max_standby_archive_delay": "0",
    "wal_retrieve_retry_interval": "50ms",
}
# On a standby at least what they are on its primary.
_AT_LEAST = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)


@dataclass
class Pair:
    """A primary and the standby that streams from it; what is done to them is done when told."""

    primary: Server
    standby: Server
    _conninfo: str
    _settings: Mapping[str, str]
    _changed: set[str] = field(default_factory=set)
    _stopped: list[int] = field(default_factory=list)

    def connect_primary(self, dbname: str = "postgres", **options: Any) -> psycopg.Connection:
        """Connect to the primary, as its owner unless `user` is given, in autocommit."""
        return connect(self.primary, dbname, **options)

    def connect_standby(self, dbname: str = "postgres", **options: Any) -> psycopg.Connection:
        """Connect to the standby, as its owner unless `user` is given, in autocommit."""
        return connect(self.standby, dbname, **options)

    def run(self, *statements: str, dbname: str = "postgres") -> None:
        """Run statements on the primary, each in a transaction of its own, and see them written."""
        with self.connect_primary(dbname) as session:
            for statement in statements:
                session.execute(statement)
        self.write_log()

    def write_log(self) -> str:
        """Write the primary's log to its end, on the way to the standby; return where that is.

        The position where the next record would go is behind a page's header at times, where
        replay never arrives: so it is that of a record of ours.
        """
        with self.connect_primary() as session:
            session.execute("set synchronous_commit to local")
            return str(one(session, "select pg_logical_emit_message(true, 'batchgate', '')"))

    def catch_up(self) -> None:
        """Wait until the standby has replayed all that the primary has done."""
        end = self.write_log()
        query = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
        with self.connect_standby() as session:
            until(lambda: ask(session, query, end), f"the standby to replay {end}")

    def promote(self) -> None:
        """Make the standby a primary of its own; there is no way back."""
        with self.connect_standby() as session:
            assert ask(session, "select pg_promote(true, %s)", int(PATIENCE)), "not promoted"

    def pause_replay(self) -> None:
        """Let the standby receive and not replay."""
        with self.connect_standby() as session:
            ask(session, "select pg_wal_replay_pause()")
            state = "select pg_get_wal_replay_pause_state() = 'paused'"
            until(lambda: ask(session, state), "replay to pause")

    def resume_replay(self) -> None:
        """Let the standby replay again."""
        with self.connect_standby() as session:
            ask(session, "select pg_wal_replay_resume()")

    def stop_receiver(self) -> None:
        """Stop the standby's receiver where it stands, its connection open: it hears nothing."""
        with self.connect_standby() as session:
            pid = ask(session, "select pid from pg_stat_wal_receiver")
        os.kill(pid, signal.SIGSTOP)
        self._stopped.append(pid)
        stat = Path(f"/proc/{pid}/stat")
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "a stopped process")

    def continue_receiver(self) -> None:
        """Let stopped receivers go on."""
        while self._stopped:
            os.kill(self._stopped.pop(), signal.SIGCONT)

    def cut_stream(self) -> None:
        """Part the standby from its primary, with nowhere to find it again."""
        self.set_standby(primary_conninfo="")
        with self.connect_standby() as session:
            gone = "select count(*) = 0 from pg_stat_wal_receiver"
            until(lambda: ask(session, gone), "the receiver to end")

    def mend_stream(self) -> None:
        """Tell the standby again where its primary is, and wait until it streams."""
        self.set_standby(primary_conninfo=self._conninfo)
        await_stream(self.standby)

    def set_standby(self, **settings: str) -> None:
        """Change settings of the standby, those that its command line does not fix."""
        self._changed |= settings.keys()
        _alter(self.standby, settings)

    def restore(self) -> None:
        """Undo what was done to the standby since it started, but for a promotion."""
        self.continue_receiver()
        self.resume_replay()
        if self._changed:
            _alter(self.standby, {name: self._settings.get(name) for name in self._changed})
            self._changed.clear()
        await_stream(self.standby)
        self.catch_up()

    def provoke_snapshot_conflict(self, table: str, dbname: str = "postgres") -> None:
        """Remove from the primary a version of a row that open snapshots of the standby may need.

        The row looks the same afterwards. Returns once the primary has done it: what an open
        transaction there still sees is not removed.
        """
        name = _identifier(table)
        with self.connect_primary(dbname) as session:
            column = one(
                session,
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
                " and not attisdropped and attgenerated = '' order by attidentity, attnum limit 1",
                name.as_string(session),
            )
            # No trigger is to see it.
            session.execute("set session_replication_role to replica")
            update = "update {0} set {1} = {1} where ctid = (select ctid from {0} limit 1)"
            touched = session.execute(sql.SQL(update).format(name, sql.Identifier(column)))
            assert touched.rowcount == 1, f"{table} has no row to remove a version of"
            # To give back space at the end takes a lock, and makes another conflict.
            session.execute(sql.SQL("vacuum (truncate false) {}").format(name))
        self.write_log()

    def provoke_lock_conflict(self, table: str, dbname: str = "postgres") -> None:
        """Alter a table on the primary as a migration does, leaving it as it was."""
        with self.hold_lock(table, dbname):
            pass
        self.write_log()

    @contextmanager
    def hold_lock(self, table: str, dbname: str = "postgres") -> Iterator[None]:
        """Keep a transaction open on the primary that has altered a table."""
        alter = sql.SQL("alter table {} owner to current_user").format(_identifier(table))
        lock = sql.SQL("lock table {} in access exclusive mode").format(_identifier(table))
        with self.connect_primary(dbname) as session, session.transaction():
            session.execute(lock)
            session.execute(alter)
            self.write_log()
            yield

    @contextmanager
    def turmoil(self, *tables: str, every: float = 0.1, dbname: str = "postgres") -> Iterator[None]:
        """Vacuum and alter tables on the primary in turn, pausing `every` so many seconds."""
        ended = Event()

        def go_on() -> None:
            while not ended.is_set():
                for table in tables:
                    self.provoke_snapshot_conflict(table, dbname)
                    ended.wait(every)
                    self.provoke_lock_conflict(table, dbname)
                    ended.wait(every)

        with ThreadPoolExecutor(1) as threads:
            going = threads.submit(go_on)
            try:
                yield
            finally:
                ended.set()
            going.result()


@contextmanager
def primary_and_standby(
    binaries: Binaries,
    *,
    primary: Mapping[str, str] | None = None,
    standby: Mapping[str, str] | None = None,
) -> Iterator[Pair]:
    """Start a primary and a standby that streams from it, on sockets; start from the main thread.

    The settings given are added to ours; those of the standby can be changed by `set_standby`,
    but for those in cluster.SETTINGS.
    """
    settings = {**_PRIMARY, **(primary or {})}
    with ThrowAwayServer(settings) as first, ExitStack() as ending:
        source = first.start(binaries)
        same = {name: settings[name] for name in _AT_LEAST if name in settings}
        given = {**same, **_STANDBY, **(standby or {})}
        copy = ending.enter_context(standby_of(binaries, source, source, given))
        conninfo = source.conninfo("postgres") + " application_name=standby"
        pair = Pair(source, copy, conninfo, {"primary_conninfo": conninfo, **given})
        # A stopped process would hold up the end of its server.
        ending.callback(pair.continue_receiver)
        pair.catch_up()
        yield pair


@contextmanager
def cascade(binaries: Binaries, pair: Pair) -> Iterator[Server]:
    """Start a standby that streams from the pair's standby."""
    with standby_of(binaries, pair.primary, pair.standby, _STANDBY) as server:
        yield server


def gate_role(
    where: Pair | Server,
    name: str,
    tables: Sequence[str] = (),
    *,
    dbname: str = "postgres",
    stats: bool = True,
) -> None:
    """Make a role that may log in, read the tables and, unless told not to, all statistics."""
    server = where.primary if isinstance(where, Pair) else where
    role = sql.Identifier(name)
    with connect(server, dbname) as session:
        if not one(session, "select count(*) from pg_roles where rolname = %s", name):
            session.execute(sql.SQL("create role {} login").format(role))
        for table in tables:
            grant = sql.SQL("grant select on {} to {}").format(_identifier(table), role)
            session.execute(grant)
        change = "grant pg_read_all_stats to {}" if stats else "revoke pg_read_all_stats from {}"
        # Revoking what was not granted is a warning of the server, and meant here.
        session.execute(sql.SQL("set client_min_messages to error"))
        session.execute(sql.SQL(change).format(role))
    if isinstance(where, Pair):
        where.catch_up()


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Binaries:
    """The programs that the run itself uses: --pg-bin and --pg-versions choose others."""
    settings = request.config.stash[HARNESS].settings
    return find_binaries(explicit=settings.pg_bin, explicit_source=settings.pg_bin_source)


@pytest.fixture(scope="session")
def shared_pair(programs: Binaries) -> Iterator[Pair]:
    """A pair that all tests of a worker share: ask for `pair`."""
    with primary_and_standby(programs) as pair:
        yield pair


@pytest.fixture
def pair(shared_pair: Pair) -> Iterator[Pair]:
    """The shared pair, put back in order afterwards; for a promotion make one of your own."""
    yield shared_pair
    shared_pair.restore()


def _alter(server: Server, settings: Mapping[str, str | None]) -> None:
    with connect(server, "postgres") as session:
        before = ask(session, "select pg_conf_load_time()")
        for name, value in settings.items():
            change = "alter system reset {}" if value is None else "alter system set {} to {}"
            parts = [sql.Identifier(name), *([] if value is None else [sql.Literal(value)])]
            session.execute(sql.SQL(change).format(*parts))
        ask(session, "select pg_reload_conf()")
        loaded = "select pg_conf_load_time() > %s"
        until(lambda: ask(session, loaded, before), "the settings to be read")


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))
