"""The record that every benchmark hands back, and the table that shows it.

A module of this folder has `figures(bench)`, which measures and returns lines for the table and
for the plot. It is run by itself with `alone(figures, __doc__)`, or with all others by run.py.
"""

import argparse
import math
import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchgate.binaries import Binaries, find_binaries

LEADS = (10_000, 100_000, 1_000_000)
QUICK = (1_000, 5_000)
TITLES = ("what", "against", "reach", "measured", "reached", "ours", "theirs", "note")


@dataclass(frozen=True)
class Figure:
    """A line of the table: a ratio or a wait that was measured, and the one to reach.

    `value` is meant as `reach` writes it: how many times as long for "≤ 5 ×", how many times
    faster for "≥ 4 × faster". `ours` and `theirs` are median seconds; nan where there are none.
    """

    what: str
    against: str
    reach: str
    value: float
    unit: str
    reached: bool
    ours: float
    theirs: float
    note: str = ""


@dataclass(frozen=True)
class Growth:
    """A line of the plot: seconds, and the client's peak MB, at each number of leads."""

    what: str
    points: Mapping[int, float]
    memory: Mapping[int, float] | None = None

    @property
    def beside_linear(self) -> float:
        """Return how much faster than the leads the time grows, over the last step of the plot."""
        if len(self.points) < 2:
            return math.nan
        fewer, more = sorted(self.points)[-2:]
        return (self.points[more] / self.points[fewer]) / (more / fewer)


@dataclass(frozen=True)
class Bench:
    """What every benchmark is given; what it writes goes into `scratch`."""

    binaries: Binaries
    leads: Sequence[int]
    scratch: Path
    repeats: int
    quick: bool


Measuring = Callable[[Bench], tuple[list[Figure], list[Growth]]]


def at_most(
    limit: float, what: str, against: str, reach: str, ours: float, theirs: float, note: str = ""
) -> Figure:
    """Return the line of something that may take `limit` times as long as its peer."""
    value = ours / theirs
    return Figure(what, against, reach, value, "×", value <= limit, ours, theirs, note)


def faster(
    limit: float, what: str, against: str, reach: str, ours: float, theirs: float, note: str = ""
) -> Figure:
    """Return the line of something that has to be `limit` times as fast as its peer."""
    value = theirs / ours
    return Figure(what, against, reach, value, "×", value >= limit, ours, theirs, note)


def growth_figure(growth: Growth, limit: float = 1.2, flat: float = 1.2) -> Figure:
    """Return the line of the issue's last aim: time near linear, the client's memory flat."""
    steps = sorted(growth.points)[-2:]
    reach = f"≤ {limit} × linear, memory flat"
    if len(steps) < 2:
        return unmeasured(f"growth, {growth.what}", "linear", reach, "needs two numbers of leads")
    fewer, more = steps
    value = growth.beside_linear
    reached, said = value <= limit, "memory not measured"
    if growth.memory:
        memory = [growth.memory[step] for step in steps]
        reached = reached and memory[1] <= flat * memory[0]
        said = f"client's peak {memory[0]:.0f} MB and {memory[1]:.0f} MB"
    return Figure(
        f"growth from {fewer:,} to {more:,} leads, {growth.what}",
        "linear",
        reach,
        value,
        "×",
        reached,
        growth.points[more],
        growth.points[fewer] * more / fewer,
        said,
    )


def unmeasured(what: str, against: str, reach: str, why: str) -> Figure:
    """Return the line of something that could not be measured: it is not reached."""
    return Figure(what, against, reach, math.nan, "×", False, math.nan, math.nan, why)


def machine() -> str:
    """Return what all was measured on, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {system}, Python {platform.python_version()}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    rows = [TITLES, tuple("---" for _ in TITLES), *map(_cells, figures)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        figure.against,
        figure.reach,
        _number(figure.value, figure.unit),
        "yes" if figure.reached else "**no**",
        _seconds(figure.ours),
        _seconds(figure.theirs),
        figure.note.replace("|", "\\|").replace("\n", " "),
    )


def _number(value: float, unit: str) -> str:
    return "—" if math.isnan(value) else f"{value:.{2 if unit == '×' else 1}f} {unit}"


def _seconds(value: float) -> str:
    return "—" if math.isnan(value) else f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


def parser(doc: str) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have, under the first sentence of a docstring."""
    options = argparse.ArgumentParser(description=doc.partition("\n")[0])
    options.add_argument(
        "--leads", type=int, nargs="+", help=f"numbers of leads ({' '.join(map(str, LEADS))})"
    )
    options.add_argument("--repeats", type=int, default=3, help="turns of each, median counts (3)")
    options.add_argument("--pg-bin", metavar="DIR", help="folder of the server's programs")
    options.add_argument("--quick", action="store_true", help="little of everything, to try it out")
    options.add_argument("--scratch", type=Path, metavar="DIR", help="keep what was made there")
    return options


def bench_of(arguments: argparse.Namespace, scratch: Path) -> Bench:
    """Return what the options ask for."""
    leads = sorted(arguments.leads or (QUICK if arguments.quick else LEADS))
    binaries = find_binaries(explicit=arguments.pg_bin, explicit_source="--pg-bin")
    repeats = 1 if arguments.quick else arguments.repeats
    return Bench(binaries, leads, scratch.absolute(), repeats, arguments.quick)


def alone(measuring: Measuring, doc: str) -> None:
    """Run one benchmark by itself and print its lines."""
    arguments = parser(doc).parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        scratch = arguments.scratch or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        bench = bench_of(arguments, scratch)
        print(f"PostgreSQL {bench.binaries.version} ({bench.binaries.source}), {machine()}\n")
        measured, grown = measuring(bench)
    print(table(measured))
    for growth in grown:
        said = ", ".join(f"{leads:,}: {_seconds(each)}" for leads, each in growth.points.items())
        print(f"{growth.what}: {said}")
