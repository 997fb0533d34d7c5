"""An online route beside the test: run, stopped where it waits, killed, and what it leaves."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import ClassVar

import psycopg

from batchgate.database import connect, create_database, drop_database
from batchgate.script import Script, ScriptRun, run_script
from batchgate.server import Server

ROOT = Path(__file__).parent.parent
ONLINE, MIGRATION, ROLLBACK = "migration.online.sql", "migration.sql", "rollback.sql"
CHUNK = 7
PATIENCE = 20.0


class Prepared:
    """A database below a batch, and copies of it.

    `batch` has the online route, `tables` are the ones that it or the application writes to,
    `parts` reads what a route left, and `left` what it might leave beside those tables.
    """

    batch: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    parts: ClassVar[Mapping[str, str]]
    left: ClassVar[str]

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self._copies: list[str] = []

    def copy(self, of: str = "") -> str:
        """Return the name of another copy, perhaps of a copy."""
        name = f"{self.name}_{len(self._copies)}"
        create_database(self.server, name, of or self.name)
        self._copies.append(name)
        return name

    def connect(self, name: str, **settings: str) -> psycopg.Connection:
        session = connect(self.server, name)
        for key, value in settings.items():
            session.execute("select set_config(%s, %s, false)", (f"batchgate.{key}", value))
        return session

    def run(self, name: str, file: str, **settings: str) -> ScriptRun:
        """Run one of the batch's files in a session of its own."""
        with self.connect(name, **settings) as session:
            return run_script(session, Script(ROOT / "sql" / self.batch / file, ROOT))

    def done(self, file: str, **settings: str) -> tuple[str, ScriptRun]:
        """Run a file on a copy of its own; return which, and what it said."""
        name = self.copy()
        ran = self.run(name, file, **settings)
        assert ran.exit_code == 0, ran.text
        return name, ran

    def ask(self, name: str, query: str) -> list[tuple[object, ...]]:
        with connect(self.server, name) as session:
            return session.execute(query.encode()).fetchall()

    def outcome(self, name: str) -> dict[str, list[str]]:
        """Read what a route left, without generated ids and the clock."""
        return {part: sorted(map(str, self.ask(name, query))) for part, query in self.parts.items()}

    def data(self, name: str) -> dict[str, list[str]]:
        """Read all that stands, ids and all."""
        query = 'select to_jsonb(t) from "{}" as t'
        found = {each: self.ask(name, query.format(each)) for each in self.tables}
        found["left"] = self.ask(name, self.left)
        return {each: sorted(map(str, rows)) for each, rows in found.items()}

    @contextmanager
    def under_way(self, name: str, **settings: str) -> Iterator["UnderWay"]:
        """Run the online route beside the test."""
        with self.connect(name, **settings) as session, ThreadPoolExecutor(1) as worker:
            script = Script(ROOT / "sql" / self.batch / ONLINE, ROOT)
            yield UnderWay(session.info.backend_pid, worker.submit(run_script, session, script))

    def drop_copies(self) -> None:
        for name in self._copies:
            drop_database(self.server, name)


class UnderWay:
    """The online route while it runs."""

    def __init__(self, pid: int, running: Future[ScriptRun]) -> None:
        self.pid, self.running = pid, running

    def waits_on(self, other: psycopg.Connection) -> None:
        """Observe over a session that the route waits for that session."""
        until = monotonic() + PATIENCE
        query = "select pg_backend_pid() = any (pg_blocking_pids(%s))"
        while monotonic() < until and not wait([self.running], timeout=0.005).done:
            row = other.execute(query, [self.pid]).fetchone()
            if row and row[0]:
                return
        raise AssertionError("the route does not wait")

    def killed_by(self, other: psycopg.Connection) -> None:
        """End the route's session, and see that it is gone."""
        other.execute("select pg_terminate_backend(%s)", [self.pid])
        assert self.running.result(PATIENCE).exit_code == 2
        until = monotonic() + PATIENCE
        query = "select from pg_stat_activity where pid = %s"
        while monotonic() < until and other.execute(query, [self.pid]).rowcount:
            continue


@contextmanager
def stopped_at(
    prepared: Prepared, name: str, statement: str
) -> Iterator[tuple[UnderWay, psycopg.Connection]]:
    """Run the route up to where it waits for a session that ran this; that is given too."""
    with connect(prepared.server, name) as holder:
        holder.execute("begin")
        holder.execute(statement.encode())
        with prepared.under_way(name, chunk=str(CHUNK)) as route:
            try:
                route.waits_on(holder)
                yield route, holder
            finally:
                holder.rollback()
