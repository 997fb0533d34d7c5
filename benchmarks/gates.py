"""What all gates cost: beside a bare read of their tables, plain queries, dbt and Soda.

    python benchmarks/gates.py [--leads 10000 100000 1000000] [--repeats 3] [--pg-bin DIR]

Each lead comes with three tenths of a job, a conversation, five messages and five audit rows. The
gates run one after the other on one connection, as the harness runs them. The plain queries are
those of the batch's own description, or what one would write after it: they lie under
straightforward/ and are one script of psql's. A bare read counts each table once, without
index-only scans. All have what a gate is given: its work_mem, no parallel workers, no JIT; the
script runs once with PostgreSQL's defaults, too. They take turns, and of each the median counts;
connecting counts too. First on rows as they should be, then with a few that offend and
without what would have prevented them. Commands are timed from their start to their end, with what
each sets by itself, and have to fail where rows offend.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
from figures import Bench, Figure, Growth, alone, at_most, faster, growth_figure, unmeasured
from gatecommands import OURS, PEERS, PYTEST, READER, Command, prepare, run
from psycopg import sql

from batchgate.batches import run_file
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
# As gates are run by default, with time enough.
MANNER = Manner(limits=Limits(statement_timeout="10min"))
ALIKE = {
    name: str(getattr(MANNER.limits, name))
    for name in ("max_parallel_workers_per_gather", "jit", "work_mem")
}
# How the files of the rows are run; synchronously, since vacuum passes over what is not yet safe.
LOADING = {"work_mem": "256MB", "maintenance_work_mem": "512MB", "synchronous_commit": "on"}
# A database's room on the throw-away server is enough for so many leads with all that is theirs.
LEADS_IN_ROOM = 2500
GATES, PLAIN, DEFAULTS, BARE = "gates", "psql script", "psql script, defaults", "bare read"
ROWS = ("as they should be", "with offences")
QUIET = ("-X", "-q", "-v", "ON_ERROR_STOP=1")
LEFT = 44


@dataclass
class Measured:
    """The seconds of each turn, of each gate and each plain query, and the client's peak MB."""

    turns: dict[str, list[float]] = field(default_factory=dict)
    harness: dict[str, list[float]] = field(default_factory=dict)
    plain: dict[str, list[float]] = field(default_factory=dict)
    found: dict[str, int | None] = field(default_factory=dict)
    memory: float = 0.0

    def seconds(self, name: str) -> float:
        """Return the median of what took turns, or of a command."""
        return median(self.turns[name])


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure every size, as it should be and with offences."""
    settings = Settings(
        root=ROOT,
        sql=ROOT / "sql",
        gates=ROOT / "gates",
        sample=ROOT / "scenarios/sample",
        reports=bench.scratch / "reports",
    )
    suite = discover(settings)
    psql = bench.binaries.tool("psql") or shutil.which("psql")
    if not psql:
        raise SystemExit("expected a psql for the plain queries, found none")
    commands, missing = prepare(bench, suite)
    sound, offended = {}, {}
    with ThrowAwayServer(databases=max(bench.leads) // LEADS_IN_ROOM) as started:
        server = started.start(bench.binaries)
        with connect(server, "postgres") as session:
            session.execute(f"create role {READER} login in role pg_read_all_data")
        for leads in sorted(bench.leads):
            print(f"gates: {leads:,} leads", flush=True)
            name = f"leads_{leads}"
            fill(server, settings, suite, name, leads)
            sound[leads] = measure(server, suite, name, str(psql), bench.repeats, defaults=True)
            time_commands(bench, server, name, commands, sound[leads])
            _run_sql(server, name, "offences.sql")
            offended[leads] = measure(server, suite, name, str(psql), bench.repeats)
            for command in commands:
                run(command, server, name, bench.scratch, passes=False)
            drop_database(server, name)
    for rows, measured in zip(ROWS, (sound, offended), strict=True):
        _print_gates(measured[max(measured)], f"{max(measured):,} leads {rows}")
    return _figures(bench, sound, offended, missing), _growths(sound)


def fill(server: Server, settings: Settings, suite: Suite, name: str, leads: int) -> None:
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


def measure(
    server: Server, suite: Suite, name: str, psql: str, times: int, *, defaults: bool = False
) -> Measured:
    """Let all take turns, after the two that warm up; the script by the defaults has one turn."""
    measured = Measured()
    ours = {
        BARE: partial(_read_bare, server, name),
        GATES: partial(_run_gates, server, suite, name, measured),
    }
    script = {PLAIN: partial(_run_plain, server, suite, name, psql, measured)}
    for work in ours.values():
        work()
    measured.harness.clear()
    for turn in range(times):
        if defaults and turn == 0:
            script_by_defaults = partial(_run_plain, server, suite, name, psql, None)
            measured.turns[DEFAULTS] = [_seconds(script_by_defaults)]
        for who, work in (ours | script).items():
            measured.turns.setdefault(who, []).append(_seconds(work))
    measured.memory = _memory()
    return measured


def time_commands(
    bench: Bench, server: Server, name: str, commands: list[Command], measured: Measured
) -> None:
    """Let the commands take turns, a first one uncounted: dbt keeps what it parsed, as in use."""
    for turn in range(bench.repeats + 1):
        for command in commands:
            seconds = run(command, server, name, bench.scratch)
            if turn:
                measured.turns.setdefault(command.name, []).append(seconds)


def _seconds(work: Callable[[], None]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _read_bare(server: Server, name: str) -> None:
    with connect(server, name) as session:
        _set(session, {**ALIKE, "enable_indexonlyscan": "off"})
        for table in TABLES:
            session.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))


def _run_gates(server: Server, suite: Suite, name: str, measured: Measured) -> None:
    with connect(server, name) as session:
        for gate in suite.gates:
            ran = partial(_run_gate, session, suite, gate, measured)
            measured.harness.setdefault(gate.name, []).append(_seconds(ran))


def _run_gate(session: psycopg.Connection, suite: Suite, gate: Gate, measured: Measured) -> None:
    after = [suite.batch(name) for name in gate.after]
    result = run_gate(session, gate, str(gate.path), after, MANNER)
    if result.state not in (State.PASSED, State.WARNED, State.FAILED):
        raise SystemExit(f"gate {gate.name}: expected a result, found {result.reason}")
    measured.found[gate.name] = result.count


def _run_plain(
    server: Server, suite: Suite, name: str, psql: str, measured: Measured | None
) -> None:
    """Run the queries that the gates replace as one script; without `measured` by the defaults."""
    queries = [HERE / "straightforward" / f"{gate.name}.sql" for gate in suite.gates]
    files = [word for query in queries for word in ("-f", str(query))]
    options = " ".join(f"-c {setting}={value}" for setting, value in ALIKE.items())
    done = subprocess.run(
        [psql, *QUIET, "-c", r"\timing on", *files, server.conninfo(name)],
        env={**os.environ, "PGOPTIONS": options if measured else ""},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    times = re.findall(r"^Time: ([\d.]+) ms", done.stdout, re.MULTILINE)
    for gate, told in zip(suite.gates, times, strict=True):
        if measured:
            measured.plain.setdefault(gate.name, []).append(float(told) / 1000)


def _memory() -> float:
    """Return the largest resident memory of this process in MB; 0 where nothing tells."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        if told := re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE):
            return int(told[1]) / 1024
    return 0.0


def _print_gates(measured: Measured, title: str) -> None:
    print(f"\n{title[:LEFT].ljust(LEFT)}", *(each.rjust(8) for each in ("found", "gate", "plain")))
    for name, times in measured.harness.items():
        cells = [f"{median(each):8.3f}" for each in (times, measured.plain[name])]
        print(name[:LEFT].ljust(LEFT), f"{measured.found[name]:8}", *cells)
    seconds = (f"{name} {measured.seconds(name):.3f} s" for name in measured.turns)
    print(", ".join(seconds), flush=True)


def _figures(
    bench: Bench,
    sound: dict[int, Measured],
    offended: dict[int, Measured],
    missing: dict[str, str],
) -> list[Figure]:
    largest = max(sound)
    told = ", ".join(f"{name} {value}" for name, value in ALIKE.items())
    turns = f"median of {bench.repeats}, one connection; {told}"
    found = []
    for rows, measured in ((sound, ROWS[0]), (offended, ROWS[1])):
        each, what = rows[largest], f"eleven gates, {largest:,} leads, rows {measured}"
        ours = each.seconds(GATES)
        bare, plain = each.seconds(BARE), each.seconds(PLAIN)
        note = turns
        if DEFAULTS in each.turns:
            times = each.seconds(DEFAULTS) / ours
            note = f"with PostgreSQL's defaults, once, the script takes {times:.1f} × as long"
        found += [
            at_most(
                5, what, "bare sequential read of the tables they read", "≤ 5 ×", ours, bare, turns
            ),
            faster(4, what, "straightforward psql script", "≥ 4 × faster", ours, plain, note),
        ]
    found += _command_figures(sound[largest], largest, missing)
    return found + ([growth_figure(_growths(sound)[0])] if len(sound) > 1 else [])


def _command_figures(measured: Measured, leads: int, missing: dict[str, str]) -> list[Figure]:
    """Return a line for each peer, beside each way of the command that does no more than they."""
    found = []
    note = (
        f"one after the other the gates themselves take {measured.seconds(GATES):.1f} s, without"
        " the parallel workers that PostgreSQL gives the peers; dbt has one thread"
    )
    if PYTEST in measured.turns:
        more = f"`{PYTEST}`, which also proves that each gate can fail"
        note += f"; {more}: {measured.seconds(PYTEST):.1f} s"
    for ours in OURS:
        for peer in PEERS:
            what, against = f"`{ours}`, {leads:,} leads", f"{peer}, the same SQL, start-up included"
            reach = "≥ 2 × faster"
            if why := missing.get(ours) or missing.get(peer):
                found.append(unmeasured(what, against, reach, why))
            else:
                seconds = measured.seconds(ours), measured.seconds(peer)
                found.append(faster(2, what, against, reach, *seconds, note))
    return found


def _growths(sound: dict[int, Measured]) -> list[Growth]:
    names = list(sound[max(sound)].turns)
    memory = {GATES: {leads: each.memory for leads, each in sound.items()}}
    return [
        Growth(name, {leads: each.seconds(name) for leads, each in sound.items()}, memory.get(name))
        for name in sorted(names, key=lambda name: name != GATES)
    ]


if __name__ == "__main__":
    alone(figures, __doc__ or "")
