"""Show what a snapshot costs beside `pg_dump -s` of the same schema, in one run.

    python benchmarks/snapshots.py [--tables 50 200] [--times 9] [--pg-bin DIR]

`cold` is the first snapshot of a session, `warm` every later one. The time of pg_dump holds the
start of a program and a connection, as it does for whoever dumps after each step. Where the
server's programs come without a pg_dump, the system's newest is taken if it knows the server;
else there is nothing to compare with. What counts is the ratio, not one machine's milliseconds.
"""

import argparse
import os
import platform
import re
import subprocess
from pathlib import Path
from statistics import median
from time import perf_counter

from psycopg import sql

from batchgate.binaries import find_binaries
from batchgate.catalog import take_snapshot
from batchgate.database import connect, create_database
from batchgate.server import Server, ThrowAwayServer

SYSTEM = Path("/usr/lib/postgresql")
TABLE = """
create table {this} (
    id bigint generated always as identity primary key,
    parent_id bigint references {parent} (id) on delete cascade,
    name text not null,
    code varchar(20) default 'none',
    amount numeric(10, 2) not null default 0,
    state text not null default 'new',
    data jsonb,
    made_at timestamptz not null default now(),
    check (amount >= 0),
    unique (code)
);
create index on {this} (parent_id);
create index on {this} (lower(name), made_at desc);
create index on {this} (made_at) where state <> 'done';
comment on table {this} is 'One of many.';
comment on column {this}.name is 'As printed.';
"""


def main() -> None:
    """Measure every size and print one table."""
    arguments = _arguments()
    binaries = find_binaries(explicit=arguments.pg_bin, explicit_source="--pg-bin")
    pg_dump = _pg_dump(binaries.directory, binaries.major)
    rows = []
    with ThrowAwayServer() as started:
        server = started.start(binaries)
        for tables in arguments.tables:
            name = f"tables_{tables}"
            create_database(server, name)
            with connect(server, name) as session:
                for number in range(tables):
                    session.execute(_table(number))
            figures = _snapshots(server, name, arguments.times)
            dump = _dumps(pg_dump, server, name, arguments.times) if pg_dump else None
            rows.append((tables, *figures, dump))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"PostgreSQL {binaries.version} ({binaries.source}), {machine}")
    print(f"medians of {arguments.times}, {pg_dump or 'no pg_dump that knows this server'}\n")
    _print_table(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--pg-bin", metavar="DIR", default=None)
    return parser.parse_args()


def _pg_dump(directory: Path, major: int) -> Path | None:
    """Return the server's own pg_dump, or one of the system that is no older than the server."""
    places = [directory / "pg_dump", *sorted(SYSTEM.glob("*/bin/pg_dump"), reverse=True)]
    for place in places:
        if place.exists():
            said = subprocess.run([place, "--version"], capture_output=True, text=True, check=True)
            version = re.search(r"\d+", said.stdout)
            if version and int(version[0]) >= major:
                return place
    return None


def _table(number: int) -> sql.Composed:
    names = {"this": f"table_{number}", "parent": f"table_{max(0, number - 1)}"}
    return sql.SQL(TABLE).format(**{key: sql.Identifier(name) for key, name in names.items()})


def _snapshots(server: Server, name: str, times: int) -> tuple[int, float, float]:
    """Return the number of objects, and the milliseconds of a first and of a later snapshot."""
    cold: list[float] = []
    warm: list[float] = []
    objects = 0
    for _ in range(times):
        with connect(server, name) as session:
            for found in (cold, warm):
                begun = perf_counter()
                objects = len(take_snapshot(session).facts)
                found.append(perf_counter() - begun)
    return objects, 1000 * median(cold), 1000 * median(warm)


def _dumps(pg_dump: Path, server: Server, name: str, times: int) -> float:
    """Return the milliseconds of a dump of the schema."""
    command = [
        str(pg_dump),
        "-s",
        "-h",
        server.host,
        "-p",
        str(server.port),
        "-U",
        server.user,
        name,
    ]
    found = []
    for _ in range(times):
        begun = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found.append(perf_counter() - begun)
    return 1000 * median(found)


def _print_table(rows: list[tuple[int, int, float, float, float | None]]) -> None:
    titles = ("tables", "objects", "cold", "warm", "pg_dump -s", "pg_dump / warm")
    print(*(title.rjust(14) for title in titles))
    for tables, objects, cold, warm, dump in rows:
        figures = (f"{each:.1f} ms" if each else "-" for each in (cold, warm, dump))
        cells = (str(tables), str(objects), *figures, f"{dump / warm:.1f}×" if dump else "-")
        print(*(cell.rjust(14) for cell in cells))


if __name__ == "__main__":
    main()
