"""How long it takes from nothing to the first gate's verdict: beside a bare initdb and start.

    python benchmarks/coldstart.py [--repeats 3] [--quick] [--pg-bin DIR]

Ours is `pytest -v gates` on this project's batches and sample data, from the command to the word
on its terminal that tells the first gate's verdict: Python's start, a server's files, its start,
all batches and samples, the gate. The peer is initdb with its defaults and `pg_ctl -w start`, by
the same programs and user, its files in memory like ours. No server runs at first; programs and
modules are in the system's cache. They take turns, and of each the median counts. In the note: the
peer told not to sync, and the same command without a page, and over the scenarios too (-m gates).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from figures import Bench, Figure, Growth, alone, at_most, unmeasured

from batchgate.folders import bases
from batchgate.privileges import find_account

ROOT = Path(__file__).resolve().parent.parent
WHAT, AGAINST, REACH = "cold start to first gate verdict", "bare initdb and start", "≤ 3 ×"
FIRST = "01_leads_have_customer.sql::green"
# A turn is short: of so many times as many the median is the steadier.
TURNS = 4


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure both in turns."""
    project = _project(bench.scratch / "coldstart")
    runs: dict[str, Callable[[], float]] = {
        "ours": lambda: _first_verdict(bench, project, "gates"),
        "theirs": lambda: _bare(bench),
        "unsynced": lambda: _bare(bench, "--no-sync"),
        "whole": lambda: _first_verdict(bench, project, "-m", "gates"),
    }
    try:
        for run in runs.values():
            run()
    except subprocess.CalledProcessError as failed:
        why = f"{failed.cmd[0]} ended with {failed.returncode}"
        return [unmeasured(WHAT, AGAINST, REACH, why)], []
    turns = range(2 if bench.quick else TURNS * bench.repeats)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in turns:
        for name, run in runs.items():
            taken[name].append(run())
    middle = {name: median(seconds) for name, seconds in taken.items()}
    spread = {name: f"{min(each):.2f}–{max(each):.2f} s" for name, each in taken.items()}
    note = (
        f"PostgreSQL {bench.binaries.version}, {len(turns)} turns, ours {spread['ours']}, theirs "
        f"{spread['theirs']}; {middle['ours'] / middle['unsynced']:.2f} × of initdb --no-sync; "
        f"pytest -m gates, which collects the scenarios too: {middle['whole']:.2f} s"
    )
    return [at_most(3, WHAT, AGAINST, REACH, middle["ours"], middle["theirs"], note)], []


def _project(folder: Path) -> Path:
    """Copy what a project has: batches, gates, scenarios and sample data."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("sql", "gates", "scenarios"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def _first_verdict(bench: Bench, project: Path, *asked: str) -> float:
    """Return the seconds until the first gate's verdict is read from the command's output."""
    options = ["-v", "-p", "no:cacheprovider", f"--pg-bin={bench.binaries.directory}"]
    command = [sys.executable, "-m", "pytest", *options, *asked]
    said = b""
    started = perf_counter()
    with subprocess.Popen(command, cwd=project, env=_environment(), stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        while not (found := f"{FIRST} PASSED".encode() in said):
            if not (more := os.read(run.stdout.fileno(), 65536)):
                break
            said += more
        seconds = perf_counter() - started
        run.stdout.read()
    if not found:
        raise SystemExit(f"no verdict of {FIRST}:\n{said.decode()[-2000:]}")
    return seconds


def _bare(bench: Bench, *options: str) -> float:
    """Return the seconds that initdb and pg_ctl start take."""
    programs, account = bench.binaries.directory, find_account()
    with tempfile.TemporaryDirectory(dir=next(bases())) as folder:
        if account.how == "user":
            os.chown(folder, account.uid, account.gid)
        place = f"--pgdata={folder}/data"
        begin = ["-o", f"-c listen_addresses='' -k {folder}", "-l", f"{folder}/log", "-w", "start"]

        def run(*command: str) -> None:
            # Ours becomes another user too, where it is root.
            who = {"user": account.uid, "group": account.gid} if account.how == "user" else {}
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(command, cwd=folder, env=_environment(), check=True, **who, **quiet)

        started = perf_counter()
        run(str(programs / "initdb"), place, *options)
        run(str(programs / "pg_ctl"), place, *begin)
        seconds = perf_counter() - started
        run(str(programs / "pg_ctl"), place, "-m", "fast", "stop")
    return seconds


def _environment() -> dict[str, str]:
    # The first would have every run compile all modules anew.
    passed_over = ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")
    environment = {name: value for name, value in os.environ.items() if name not in passed_over}
    return {name: value for name, value in environment.items() if not name.startswith("PG")}


if __name__ == "__main__":
    alone(figures, __doc__)
