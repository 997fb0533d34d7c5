"""Show what all gates cost: beside a bare read of their tables, and beside the plain queries.

    python benchmarks/gates.py [--leads 100000 1000000] [--times 3] [--pg-bin DIR]

Each lead comes with three tenths of a job, a conversation, five messages and five audit rows. The
gates run as the harness runs them. The plain queries are those of the batch's own description, or
what one would write after it: they lie under straightforward/, each run by psql. A bare read counts
each table once, without index-only scans. All have work_mem at PostgreSQL's default, no parallel
workers and no JIT; they take turns, and of each the median counts. First on rows as they should
be, then with a few that offend and without what would have prevented them. What counts is the
ratios, not the milliseconds of one machine.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
from psycopg import sql

from batchgate.batches import run_file
from batchgate.binaries import find_binaries
from batchgate.config import Settings
from batchgate.database import connect, create_database, drop_database
from batchgate.discover import discover
from batchgate.findings import State
from batchgate.gates.run import Manner, run_gate
from batchgate.limits import Limits
from batchgate.server import Server, ThrowAwayServer
from batchgate.suite import Gate, Suite

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
TABLES = ("Customer", "Lead", "Job", "Conversation", "Message", "Audit")
# PostgreSQL's default, which is less than what a gate is given otherwise; and time enough.
MANNER = Manner(limits=Limits(work_mem="4MB", statement_timeout="10min"))
ALIKE = {"max_parallel_workers_per_gather": "0", "jit": "off", "work_mem": "4MB"}
# How the files of the rows are run; synchronously, since vacuum passes over what is not yet safe.
LOADING = {"work_mem": "256MB", "maintenance_work_mem": "512MB", "synchronous_commit": "on"}
# A database's room on the throw-away server is enough for so many leads with all that is theirs.
LEADS_IN_ROOM = 2500
LEFT, RIGHT = 44, 12


@dataclass
class Measured:
    """The seconds of each turn, what each gate found, and the largest memory of a client.

    Memory is in kB: of this process with the gates so far, and of the largest psql; 0 where the
    system does not tell.
    """

    harness: dict[str, list[float]] = field(default_factory=dict)
    plain: dict[str, list[float]] = field(default_factory=dict)
    bare: list[float] = field(default_factory=list)
    found: dict[str, int | None] = field(default_factory=dict)
    memory: int = 0
    plain_memory: int = 0

    def sums(self) -> tuple[float, float, float]:
        """Return the seconds of all gates, of all plain queries and of the bare read."""
        ours, theirs = (
            sum(median(times) for times in each.values()) for each in (self.harness, self.plain)
        )
        return ours, theirs, median(self.bare)


def main() -> None:
    """Measure every size, as it should be and with offences, and print the tables."""
    arguments = _arguments()
    settings = Settings(
        root=ROOT,
        sql=ROOT / "sql",
        gates=ROOT / "gates",
        sample=ROOT / "scenarios/sample",
        reports=ROOT / "reports",
    )
    suite = discover(settings)
    binaries = find_binaries(explicit=arguments.pg_bin, explicit_source="--pg-bin")
    psql = binaries.tool("psql") or shutil.which("psql")
    if not psql:
        raise SystemExit("expected a psql for the plain queries, found none")
    sound, offended = {}, {}
    with ThrowAwayServer(databases=sum(arguments.leads) // LEADS_IN_ROOM) as started:
        server = started.start(binaries)
        for leads in sorted(arguments.leads):
            name = f"leads_{leads}"
            _fill(server, settings, suite, name, leads)
            sound[leads] = _measure(server, suite, name, str(psql), arguments.times)
            _run_sql(server, name, "offences.sql")
            offended[leads] = _measure(server, suite, name, str(psql), arguments.times)
            drop_database(server, name)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"PostgreSQL {binaries.version} ({binaries.source}), {machine}")
    print(f"medians of {arguments.times}, seconds, work_mem {MANNER.limits.work_mem}")
    for measured, rows in ((sound, "as they should be"), (offended, "with offences")):
        largest = max(measured)
        _print_gates(measured[largest], f"{largest:,} leads {rows}")
        _print_sizes(measured, f"all gates, rows {rows}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leads", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--pg-bin", metavar="DIR", default=None)
    return parser.parse_args()


def _fill(server: Server, settings: Settings, suite: Suite, name: str, leads: int) -> None:
    """Make a database where every batch stands over so many leads."""
    create_database(server, name)
    with connect(server, name) as session:
        for batch in suite.batches:
            if batch.migration:
                ran = run_file(session, settings, batch, batch.migration)
                if not ran.succeeded:
                    raise ran.failure("migration to succeed")
    _run_sql(server, name, "pipeline.sql", **{"pipeline.leads": str(leads)})


def _run_sql(server: Server, name: str, file: str, **given: str) -> None:
    """Run a file of ours whole, and let the planner and the visibility map know of it."""
    with connect(server, name) as session:
        _set(session, {**LOADING, **given})
        session.execute((HERE / file).read_bytes())
        session.execute("vacuum (analyze)")


def _set(session: psycopg.Connection, settings: dict[str, str]) -> None:
    for setting, value in settings.items():
        session.execute("select pg_catalog.set_config(%s, %s, false)", [setting, value])


def _measure(server: Server, suite: Suite, name: str, psql: str, times: int) -> Measured:
    """Let all take turns: a first one to warm up, then those that count."""
    measured = Measured()
    for turn in range(times + 1):
        _take_turn(server, suite, name, psql, measured)
        if turn == 0:
            measured.harness.clear()
            measured.plain.clear()
            measured.bare.clear()
    measured.memory = _memory_of(Path("/proc/self/status").read_text())
    return measured


def _take_turn(server: Server, suite: Suite, name: str, psql: str, measured: Measured) -> None:
    with connect(server, name) as session:
        _set(session, {**ALIKE, "enable_indexonlyscan": "off"})
        measured.bare.append(_seconds(partial(_read_bare, session)))
    for gate in suite.gates:
        with connect(server, name) as session:
            ran = partial(_run_gate, session, suite, gate, measured)
            measured.harness.setdefault(gate.name, []).append(_seconds(ran))
        asked = partial(_run_plain, server, name, psql, gate, measured)
        measured.plain.setdefault(gate.name, []).append(_seconds(asked))


def _seconds(work: Callable[[], None]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _read_bare(session: psycopg.Connection) -> None:
    for table in TABLES:
        session.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))


def _run_gate(session: psycopg.Connection, suite: Suite, gate: Gate, measured: Measured) -> None:
    after = [suite.batch(name) for name in gate.after]
    result = run_gate(session, gate, str(gate.path), after, MANNER)
    if result.state not in (State.PASSED, State.WARNED, State.FAILED):
        raise SystemExit(f"gate {gate.name}: expected a result, found {result.reason}")
    measured.found[gate.name] = result.count


def _run_plain(server: Server, name: str, psql: str, gate: Gate, measured: Measured) -> None:
    """Run the query that a gate replaces, and let psql's own shell say what memory it took."""
    query = HERE / "straightforward" / f"{gate.name}.sql"
    told = r"\! grep VmHWM /proc/$PPID/status 2>&1"
    command = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(query), "-c", told]
    options = " ".join(f"-c {setting}={value}" for setting, value in ALIKE.items())
    done = subprocess.run(
        [*command, server.conninfo(name)],
        env={**os.environ, "PGOPTIONS": options},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured.plain_memory = max(measured.plain_memory, _memory_of(done.stdout))


def _memory_of(status: str) -> int:
    """Return the largest resident memory that Linux tells of a process, in kB."""
    told = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return int(told[1]) if told else 0


def _print_gates(measured: Measured, title: str) -> None:
    print(f"\n{title[:LEFT].ljust(LEFT)}", *(each.rjust(8) for each in ("found", "gate", "plain")))
    for name, times in measured.harness.items():
        cells = [f"{median(each):8.3f}" for each in (times, measured.plain[name])]
        print(name[:LEFT].ljust(LEFT), f"{measured.found[name]:8}", *cells)


def _print_sizes(measured: dict[int, Measured], title: str) -> None:
    """Print a column for each size, and in the last one how times grow beside the rows."""
    sizes = sorted(measured)
    sums = [measured[size].sums() for size in sizes]
    print(f"\n{title.ljust(LEFT - RIGHT)}", *(f"{size:{RIGHT},}" for size in sizes), end="")
    print("growth / rows".rjust(RIGHT + 3))
    for place, name in enumerate(("gates", "plain queries", "bare read")):
        seconds = [each[place] for each in sums]
        growth = (seconds[-1] / seconds[0]) / (sizes[-1] / sizes[0])
        cells = [f"{each:{RIGHT}.3f}" for each in seconds]
        print(name.ljust(LEFT - RIGHT), *cells, f"{growth:{RIGHT + 1}.2f}×")
    ratios = {
        "gates / bare read": [f"{ours / bare:.2f}×" for ours, _, bare in sums],
        "plain queries / gates": [f"{theirs / ours:.2f}×" for ours, theirs, _ in sums],
        "memory of the gates' client": [f"{measured[size].memory:,} kB" for size in sizes],
        "memory of psql": [f"{measured[size].plain_memory:,} kB" for size in sizes],
    }
    for name, cells in ratios.items():
        print(name.ljust(LEFT - RIGHT), *(cell.rjust(RIGHT) for cell in cells))


if __name__ == "__main__":
    main()
