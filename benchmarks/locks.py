"""Show how long writers wait for batches 5 and 7, by their online and by their ordinary routes.

    python benchmarks/locks.py [--leads 1000000] [--repeats 3] [--pg-bin DIR]

Writers, readers and a report go on at a steady pace, each in a process of its own, while a route is
run, then for just as long while nothing is run. A writer's wait is the time of its whole
transaction, and of each stretch the longest counts; of several turns, the median. A watcher asks
the server again and again who waits for a lock, and for how long: that tells what a migration
holds up from what two cores cannot do at once. The online routes have a lock_timeout and are run
again where it ends them, as an operator would.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter

from figures import Bench, Figure, Growth, alone
from stage import SETTINGS, analyzed, file_of, generated, run_apart, serving

from batchgate.batches import apply_batch, roll_back_batch
from batchgate.database import connect, drop_database
from batchgate.discover import discover
from batchgate.server import Server

INDEXES, CONSTRAINTS = "05_add_integrity_indexes", "07_tighten_constraints"
WHAT = {INDEXES: "batch 5", CONSTRAINTS: "batch 7"}
LONGER = 0.050
# Who takes part, and how many seconds lie between two of its transactions.
TRAFFIC = {
    "writer-1": 0.04,
    "writer-2": 0.04,
    "writer-3": 0.04,
    "writer-4": 0.04,
    "reader-5": 0.1,
    "reader-6": 0.1,
    "report-7": 1.5,
}
WRITERS = Path(__file__).resolve().parent / "writers.py"
LOCK_TIMEOUT, TRIES = "2s", 20
# Between two stretches, until who waited in the one has got through.
SETTLE = 1.0
LOOK_EVERY = 0.01
WAITING = """
select extract(epoch from clock_timestamp() - k.waitstart)
from pg_catalog.pg_locks as k
join pg_catalog.pg_stat_activity as a
    on a.pid = k.pid
where not k.granted
    and k.waitstart is not null
    and a.application_name like 'writer-%'
"""


@dataclass
class Stretch:
    """A time in which something was run or nothing was: its limits, and the longest lock wait."""

    begun: float
    ended: float
    locked: float

    def longest(self, took: list[tuple[float, float]]) -> float:
        """Return the longest of the transactions that went on in it."""
        return max(
            seconds
            for begun, seconds in took
            if begun < self.ended and begun + seconds > self.begun
        )


@dataclass
class Turns:
    """The stretches of a batch."""

    online: list[Stretch] = field(default_factory=list)
    without: list[Stretch] = field(default_factory=list)
    ordinary: list[Stretch] = field(default_factory=list)


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure both batches over the largest number of leads."""
    leads = max(bench.leads)
    suite, lines = discover(SETTINGS), []
    with serving(bench) as server:
        generated(server, "busy", leads)
        for batch in suite.batches:
            with connect(server, "busy") as session:
                if batch.name in WHAT:
                    analyzed(server, "busy")
                    turns, took = _take_turns(server, "busy", batch.name, bench.repeats)
                    lines.append(_figure(f"{WHAT[batch.name]}, {leads:,} leads", turns, took))
                if batch.migration and batch.number > 2:
                    apply_batch(session, SETTINGS, batch)
        drop_database(server, "busy")
    return lines, []


def _take_turns(
    server: Server, name: str, batch: str, repeats: int
) -> tuple[Turns, list[tuple[float, float]]]:
    """Run both routes under traffic, each taken back afterwards; return what writers took."""
    turns = Turns()
    with _traffic(server, name) as took:
        for _ in range(repeats):
            online = _stretch(server, name, batch, "migration.online.sql")
            _take_back(server, name, batch)
            turns.online.append(online)
            turns.without.append(_quiet(server, name, online.ended - online.begun))
            turns.ordinary.append(_stretch(server, name, batch, "migration.sql"))
            _take_back(server, name, batch)
    return turns, took


@contextmanager
def _traffic(server: Server, name: str) -> Iterator[list[tuple[float, float]]]:
    """Let all go on meanwhile; what the writers took is there at the end."""
    took: list[tuple[float, float]] = []
    with ExitStack() as ending:
        going = {}
        for who, pace in TRAFFIC.items():
            command = [sys.executable, str(WRITERS), server.conninfo(name), who, str(pace)]
            going[who] = ending.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
        for process in going.values():
            assert process.stdout is not None
            process.stdout.readline()
        try:
            yield took
        finally:
            told = {who: process.communicate()[0] for who, process in going.items()}
    for who, process in going.items():
        if process.returncode != 0:
            raise SystemExit(f"{who}: expected to go on, ended with {process.returncode}")
        if who.startswith("writer"):
            took += [_line(line) for line in told[who].splitlines()]


def _line(line: str) -> tuple[float, float]:
    begun, seconds = line.split()
    return float(begun), float(seconds)


def _stretch(server: Server, name: str, batch: str, file: str) -> Stretch:
    with _watching(server, name) as stretch:
        settings = {"lock_timeout": LOCK_TIMEOUT}
        ran = run_apart(server, name, file_of(batch, file), settings, tries=TRIES)
    # What the start of a client takes is no migration's.
    stretch.begun, stretch.ended = ran.begun, ran.begun + ran.seconds
    return stretch


def _quiet(server: Server, name: str, seconds: float) -> Stretch:
    with _watching(server, name) as stretch:
        Event().wait(seconds)
    return stretch


@contextmanager
def _watching(server: Server, name: str) -> Iterator[Stretch]:
    """Note when something begins and ends, and the longest wait of a writer for a lock."""
    stretch, over = Stretch(0.0, 0.0, 0.0), Event()

    def watch() -> None:
        with connect(server, name) as session:
            while not over.wait(LOOK_EVERY):
                for (seconds,) in session.execute(WAITING).fetchall():
                    stretch.locked = max(stretch.locked, float(seconds))

    watcher = Thread(target=watch)
    Event().wait(SETTLE)
    stretch.begun = perf_counter()
    watcher.start()
    try:
        yield stretch
    finally:
        stretch.ended = perf_counter()
        over.set()
        watcher.join()


def _take_back(server: Server, name: str, batch: str) -> None:
    with connect(server, name) as session:
        roll_back_batch(session, SETTINGS, discover(SETTINGS).batch(batch))


def _figure(what: str, turns: Turns, took: list[tuple[float, float]]) -> Figure:
    online, without, ordinary = (
        [each.longest(took) for each in stretches]
        for stretches in (turns.online, turns.without, turns.ordinary)
    )
    more = median(online) - median(without)
    said = (
        f"longest {_ms(online)} ms, without {_ms(without)} ms;"
        f" of it waiting for a lock {_ms(each.locked for each in turns.online)} ms;"
        f" the ordinary route: longest {_ms(ordinary)} ms,"
        f" for a lock {_ms(each.locked for each in turns.ordinary)} ms;"
        f" they ran {_lasted(turns.online):.1f} s and {_lasted(turns.ordinary):.1f} s"
    )
    return Figure(
        f"{what}, online route, under traffic",
        "longest wait of any writer",
        "≤ 50 ms more than without",
        more * 1000,
        "ms",
        more <= LONGER,
        median(online),
        median(without),
        said,
    )


def _ms(times: Iterable[float]) -> str:
    return ", ".join(f"{each * 1000:.0f}" for each in times)


def _lasted(stretches: list[Stretch]) -> float:
    return median(each.ended - each.begun for each in stretches)


if __name__ == "__main__":
    alone(figures, __doc__)
