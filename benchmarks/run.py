"""Measure everything, and write the table of what is to be reached, and a plot of how it grows.

    python benchmarks/run.py [--only NAME ...] [--leads 10000 100000 1000000] [--quick]
                             [--repeats 3] [--pg-bin DIR] [--to DIR] [--scratch DIR]

Every module here that has `figures(bench)` is measured, in a process of its own, one after the
other. One that fails is a line that says so, and the exit code is 1; a figure that is measured and
not reached is a line as well, and no error.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path
from traceback import print_exc
from typing import Any

from figures import Bench, Figure, Growth, bench_of, machine, parser, table, unmeasured
from peers import installed
from plot import draw

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_HAS_FIGURES = re.compile(r"^def figures\(bench: Bench\)", re.MULTILINE)
_OURS = ("batchgate", "psycopg", "pytest", "pytest-postgresql", "sqlparse", "click")
_WENT_WRONG, INTERRUPTED = 1, 130
# The number of leads that what is to be reached is meant for.
AIMED_AT = 1_000_000
_FEWER = f"* what is to be reached is meant for {AIMED_AT:,} leads: this run had fewer"


@dataclass
class Outcome:
    """What all modules handed back so far, by the names of the modules."""

    figures: dict[str, list[Figure]] = field(default_factory=dict)
    growths: dict[str, list[Growth]] = field(default_factory=dict)

    def all_figures(self) -> list[Figure]:
        """Return the lines of the table."""
        return [figure for figures in self.figures.values() for figure in figures]


def main() -> int:
    """Measure what is asked for and write it; return the exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        scratch = (arguments.scratch or Path(folder)).absolute()
        scratch.mkdir(parents=True, exist_ok=True)
        bench = bench_of(arguments, scratch)
        if arguments.record:
            return _measure(arguments.only[0], bench, arguments.record)
        about = _about(bench)
        outcome = Outcome()
        for name in arguments.only or _names():
            print(f"\n== {name}", flush=True)
            outcome.figures[name], outcome.growths[name] = _measured(name, bench)
            about |= _ended(bench)
            _write(arguments.to.absolute(), about, outcome)
    print(f"\n{table(outcome.all_figures())}\nwritten: {arguments.to}")
    return int(any(math.isnan(figure.value) for figure in outcome.all_figures()))


def _names() -> list[str]:
    """Return the modules of this folder that measure."""
    return sorted(
        path.stem for path in HERE.glob("*.py") if _HAS_FIGURES.search(path.read_text("utf-8"))
    )


def _arguments() -> argparse.Namespace:
    names = _names()
    options = parser(__doc__ or "")
    options.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}"
    )
    options.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        default=ROOT / "reports/benchmarks",
        help="where table.md, figures.json and growth.svg go (reports/benchmarks)",
    )
    options.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    return options.parse_args()


def _measured(name: str, bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure one module in a process of its own, so that its memory is its own, and its end."""
    record = bench.scratch / f"{name}.json"
    record.unlink(missing_ok=True)
    words = [sys.executable, __file__, "--only", name, "--record", record]
    words += ["--leads", *bench.leads, "--repeats", bench.repeats, "--scratch", bench.scratch]
    words += ["--pg-bin", bench.binaries.directory, *(["--quick"] if bench.quick else [])]
    code = _waited([str(word) for word in words])
    if not record.is_file():
        why = f"its process ended with {code}; run it alone: python benchmarks/{name}.py"
        return [unmeasured(name, "—", "—", why)], []
    found = json.loads(record.read_text())
    if "error" in found:
        return [unmeasured(name, "—", "—", f"failed: {found['error']}")], []
    return [Figure(**each) for each in found["figures"]], [_growth(g) for g in found["growths"]]


def _waited(words: Sequence[str]) -> int:
    """Return the exit code of a process; after Ctrl-C it, too, has time to put things away."""
    with subprocess.Popen(words) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


def _growth(told: Mapping[str, Any]) -> Growth:
    points, memory = (
        None if each is None else {int(leads): value for leads, value in each.items()}
        for each in (told["points"], told["memory"])
    )
    assert points is not None, "a growth has points"
    return Growth(told["what"], points, memory)


def _measure(name: str, bench: Bench, record: Path) -> int:
    """Measure one module here, and leave for the caller what came of it."""
    try:
        figures, growths = import_module(name).figures(bench)
        found: dict[str, Any] = {
            "figures": [asdict(each) for each in figures],
            "growths": [asdict(each) for each in growths],
        }
    except SystemExit as error:
        print(error, file=sys.stderr)
        found = {"error": _first_line(error)}
    except Exception as error:
        print_exc()
        found = {"error": f"{type(error).__name__}: {_first_line(error)}"}
    record.write_text(json.dumps(found))
    return _WENT_WRONG if "error" in found else 0


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def _about(bench: Bench) -> dict[str, Any]:
    """Return on what, with what and when it is measured."""
    commit = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"]
    told = subprocess.run(commit, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load at begin": round(os.getloadavg()[0], 1),
        "postgresql": f"{bench.binaries.version} ({bench.binaries.source})",
        "commit": told or "unknown",
        "leads": list(bench.leads),
        "turns": bench.repeats,
        "versions": {name: metadata.version(name) for name in _OURS},
    }


def _ended(bench: Bench) -> dict[str, Any]:
    return {
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "load at end": round(os.getloadavg()[0], 1),
        "peers": installed(bench.scratch),
    }


def _write(folder: Path, about: Mapping[str, Any], outcome: Outcome) -> None:
    """Write what is known so far: a run that is interrupted leaves what it measured."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        **about,
        "figures": {name: _plain(each) for name, each in outcome.figures.items()},
        "growths": {name: _plain(each) for name, each in outcome.growths.items()},
    }
    (folder / "figures.json").write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")
    drawn = draw(outcome.growths, f"How it grows with the leads: {about['machine']}")
    (folder / "growth.svg").write_text(drawn, "utf-8")
    (folder / "table.md").write_text(_page(about, outcome), "utf-8")


def _plain(lines: Sequence[Figure | Growth]) -> list[dict[str, Any]]:
    """Return lines as JSON has them: it has no nan."""
    return [
        {key: None if _is_nan(value) else value for key, value in asdict(line).items()}
        for line in lines
    ]


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _page(about: Mapping[str, Any], outcome: Outcome) -> str:
    peers = {
        name: f"{name} {version}"
        for found in about["peers"].values()
        for name, version in found.items()
        if name in _pinned()
    }
    ours = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [
        "# Benchmarks",
        "",
        f"* {about['machine']}; load {about['load at begin']} at the beginning,"
        f" {about['load at end']} at the end",
        f"* PostgreSQL {about['postgresql']}, commit {about['commit']}",
        f"* {ours}",
        f"* peers: {', '.join(peers.values()) or 'none installed'}",
        f"* {about['begun']} to {about['ended']}, turns of each: {about['turns']}",
        *([] if max(about["leads"]) >= AIMED_AT else [_FEWER]),
        "",
        table(outcome.all_figures()),
        "![how it grows](growth.svg)",
        "",
    ]
    return "\n".join(lines)


def _pinned() -> set[str]:
    """Return the names that the peers' files pin."""
    files = HERE.glob("peers/*/requirements.txt")
    return {line.partition("==")[0] for file in files for line in file.read_text().split()}


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
