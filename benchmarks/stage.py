"""The databases on which the backfills and the locks are measured, and the client that runs a file.

A database stands at a height: `generated` makes leads, jobs and audit rows below batch 3, and
`applied` takes it further. What is measured runs on a copy, after a checkpoint, in a process of
its own, whose largest memory is told with the seconds.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from figures import Bench
from psycopg import sql

from batchgate.batches import apply_batch
from batchgate.config import Settings
from batchgate.database import connect, create_database, drop_database
from batchgate.discover import discover
from batchgate.script import Script, run_script
from batchgate.server import Server, ThrowAwayServer
from batchgate.suite import Batch

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
CUSTOMERS, MESSAGES = "03_backfill_customers", "04_backfill_conversations_messages"
SETTINGS = Settings(
    root=ROOT,
    sql=ROOT / "sql",
    gates=ROOT / "gates",
    sample=ROOT / "scenarios/sample",
    reports=ROOT / "reports",
)
# What a server with a million leads has; work_mem and all else is PostgreSQL's default.
SERVER = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
# A database's room on the throw-away server is enough for so many leads with all that is theirs, a
# copy, what its peer reads, and the log.
LEADS_IN_ROOM = 400
FILLED = """
select n.nspname, c.relname
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
where c.relkind = 'r'
    and n.nspname in ('public', 'backfill', 'ready')
    and pg_catalog.pg_relation_size(c.oid) > 0
order by n.nspname, c.relname
"""
# What a file sets for its own work is set for its peer too; these are not of that kind.
_NOT_FOR_WORK = ("search_path", "client_min_messages", "quote_all_identifiers", "row_security")
_FOR_WORK = re.compile(r"^set (?:local )?(\w+)(?: =| to) '?([^';]+)'?;$", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What a run of a file took: seconds, the client's largest memory in MB, and its tries.

    It was begun at a moment on the clock that all processes of a machine share.
    """

    seconds: float
    memory: float
    begun: float = 0.0
    tries: int = 1


def median_of(runs: Sequence[Ran]) -> float:
    """Return the median of the seconds."""
    return median(ran.seconds for ran in runs)


def largest_of(runs: Sequence[Ran]) -> float:
    """Return the largest memory."""
    return max(ran.memory for ran in runs)


@contextmanager
def serving(
    bench: Bench, settings: Mapping[str, str] | None = None, *, most: int | None = None
) -> Iterator[Server]:
    """Start a server with room for the largest number of leads, or for `most`."""
    rooms = (most or max(bench.leads)) // LEADS_IN_ROOM
    with ThrowAwayServer({**SERVER, **(settings or {})}, databases=rooms) as started:
        yield started.start(bench.binaries)


def batches() -> tuple[Batch, ...]:
    """Return the batches in their order."""
    return discover(SETTINGS).batches


def generated(server: Server, name: str, leads: int) -> None:
    """Make a database just below batch 3 over so many leads."""
    create_database(server, name)
    with connect(server, name) as session:
        session.execute("select set_config('generate.leads', %s, false)", [str(leads)])
        session.execute("select set_config('generate.seed', '1', false)")
        session.execute("set work_mem = '256MB'")
        session.execute("set maintenance_work_mem = '256MB'")
        for batch in batches():
            if batch.name == CUSTOMERS:
                break
            apply_batch(session, SETTINGS, batch)
            if batch.number == 0:
                made = run_script(session, Script(ROOT / "scenarios/generate.sql", ROOT))
                assert made.error is None, made.error
    analyzed(server, name)


def analyzed(server: Server, name: str) -> None:
    """Vacuum and analyze what has rows, as the server does by itself in time.

    An empty table that was vacuumed is taken for one that stays empty: plans of keys that are
    checked row by row would then read it whole for each row.
    """
    with connect(server, name) as session:
        for schema, table in session.execute(FILLED).fetchall():
            statement = sql.SQL("vacuum (analyze) {}")
            session.execute(statement.format(sql.Identifier(schema, table)))


@contextmanager
def copied(server: Server, template: str, name: str) -> Iterator[str]:
    """Give a copy of a database, and drop it at the end."""
    create_database(server, name, template)
    try:
        with connect(server, name) as session:
            session.execute("checkpoint")
        yield name
    finally:
        drop_database(server, name)


def file_of(batch: str, file: str = "migration.sql") -> Path:
    """Return the path of one of a batch's files."""
    return ROOT / "sql" / batch / file


def work_settings(path: Path) -> dict[str, str]:
    """Return what a file sets for the speed of its own work."""
    found = _FOR_WORK.findall(path.read_text())
    return {name: value for name, value in found if name not in _NOT_FOR_WORK}


def run_apart(
    server: Server,
    name: str,
    path: Path,
    settings: Mapping[str, str] | None = None,
    tries: int = 1,
) -> Ran:
    """Run a file on a database in a process of its own, through the harness's runner.

    It is run again, so many times, where a lock did not come in time.
    """
    given = [f"{setting}={value}" for setting, value in (settings or {}).items()]
    command = [sys.executable, str(HERE / "client.py"), server.conninfo(name), str(path)]
    done = subprocess.run([*command, str(tries), *given], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{path}: expected to run to its end")
    ran = Ran(**json.loads(done.stdout))
    # All of it takes long: whoever waits sees that it goes on.
    print(f"{name}: {path.parent.name}/{path.name} took {ran.seconds:.2f} s", file=sys.stderr)
    return ran


def copy_rows(server: Server, source: str, query: str, target: str, table: str) -> None:
    """Copy what a query finds in one database into a table of another, in its order."""
    with connect(server, source) as giving, connect(server, target) as taking:
        out = f"copy ({query}) to stdout (format binary)".encode()
        into = f"copy {table} from stdin (format binary)".encode()
        with (
            giving.cursor().copy(out) as rows,
            taking.cursor().copy(into) as held,
        ):
            for piece in rows:
                held.write(piece)
