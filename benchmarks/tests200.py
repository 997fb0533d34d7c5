"""What 200 small tests cost, each isolated: beside pytest-postgresql, and pg_prove with pgTAP.

    python benchmarks/tests200.py [--repeats 3] [--quick]

The same checks of the schema at the top of all batches, without rows, are run by batchgate's
`undone`, by stock pytest-postgresql fixtures (a database of its own for each test) and by pg_prove:
a file for each test, begun and rolled back, and again as functions that pgTAP's runtests undoes one
by one in a single session. Each is timed from nothing to its end: a server is made and started, the
schema laid, the tests run, the server stopped; one process at a time, all on the same programs,
with the server's files in memory and fsync off. pg_prove is given batchgate's own server, without
the start of an interpreter. They take turns, and of each the median counts.

pgTAP comes from Debian's packages for PostgreSQL 15, which root installs; where it is missing, the
others are measured on the programs that --pg-bin names.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

import checks200
from checks200 import Check
from figures import Bench, Figure, Growth, alone, faster, unmeasured
from peers import PeerMissing, programs_of

from batchgate import privileges
from batchgate.binaries import Binaries, find_binaries
from batchgate.database import create_database
from batchgate.folders import bases
from batchgate.server import Server, ThrowAwayServer

ROOT = Path(__file__).resolve().parent.parent
TOP = "07_tighten_constraints"
PGTAP = ("postgresql-15-pgtap=1.2.0-3", "libtap-parser-sourcehandler-pgtap-perl=3.36-2")
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
CONTROL = Path("/usr/share/postgresql/15/extension/pgtap.control")
PEER = "pytest-postgresql"
MODULES = 10
CONFTEST = """from pathlib import Path

from pytest_postgresql import factories

SQL = sorted(Path(__file__).parent.parent.glob("sql/*/migration.sql"))

postgresql_proc = factories.postgresql_proc(load=SQL)
postgresql = factories.postgresql("postgresql_proc")
"""


@dataclass
class Suite:
    """The checks as each runner has them, and where the server's programs are."""

    folder: Path
    binaries: Binaries
    number: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, name: str, run: Callable[[], float]) -> None:
        """Keep what one turn took: in all, or as much of it as `run` returns."""
        started = perf_counter()
        alone = run()
        self.seconds.setdefault(name, []).append(perf_counter() - started)
        if alone:
            self.seconds.setdefault(f"{name}, tests alone", []).append(alone)

    def median(self, name: str) -> float:
        """Return the median of the turns."""
        return median(self.seconds[name])


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure all runners in turns."""
    missing = {PEER: "", "pg_prove": _install_pgtap()}
    try:
        python = programs_of(PEER, bench.scratch) / "python"
    except PeerMissing as reason:
        python, missing[PEER] = Path(sys.executable), str(reason)
    suite = _written(bench, with_pgtap=not missing["pg_prove"])
    runners: dict[str, Callable[[], float]] = {
        "undone": lambda: _ours(suite, "undone"),
        "no page": lambda: _ours(suite, "undone", "-p", "no:html"),
    }
    if not missing[PEER]:
        runners[PEER] = lambda: _theirs(suite, python)
    if not missing["pg_prove"]:
        runners["pg_prove"] = lambda: _proven(suite, _files(suite))
        runners["runtests"] = lambda: _proven(suite, ["--runtests", "--schema", "tests"])
    # What is compiled and cached once is no part of a run.
    for run in runners.values():
        run()
    for _ in range(bench.repeats):
        for name, run in runners.items():
            suite.timed(name, run)
    suite.timed("clones", lambda: _ours(suite, "clones"))
    return _table(suite, missing), []


def _table(suite: Suite, missing: Mapping[str, str]) -> list[Figure]:
    what = f"{suite.number} small tests, each isolated"
    spread = {name: f"{min(each):.2f}–{max(each):.2f} s" for name, each in suite.seconds.items()}
    server = f"PostgreSQL {suite.binaries.version}, server and schema included"
    others = (
        f"without its page {suite.median('no page'):.2f} s; with a clone for each test, once, "
        f"{suite.median('clones'):.2f} s"
    )
    said = {
        PEER: f"{server}; ours {spread['undone']}, {others}",
        "pg_prove": "a file a test",
        "runtests": "xUnit functions in one session of one psql",
    }
    found = []
    for name, against, limit, reach in (
        (PEER, "stock pytest-postgresql", 5, "≥ 5 × faster"),
        ("pg_prove", "pg_prove, a file a test", 1, "not slower"),
        ("runtests", "pg_prove --runtests", 1, "not slower"),
    ):
        reason = missing["pg_prove" if name == "runtests" else name]
        if reason:
            found.append(unmeasured(what, against, reach, reason))
            continue
        note = f"{said[name]}; theirs {spread[name]}"
        if f"{name}, tests alone" in suite.seconds:
            note += f", of which pg_prove {suite.median(f'{name}, tests alone'):.2f} s"
        ours, theirs = suite.median("undone"), suite.median(name)
        found.append(faster(limit, what, against, reach, ours, theirs, note))
    return found


def _install_pgtap() -> str:
    """Install pgTAP and pg_prove where they are missing; return why that cannot be, or nothing."""
    if CONTROL.is_file() and shutil.which("pg_prove"):
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"expected {' and '.join(PGTAP)}, which only root can install"
    command = ["apt-get", "install", "-y", "--no-install-recommends", *PGTAP]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"apt-get: {done.stderr.strip()[-200:]}"


def _written(bench: Bench, *, with_pgtap: bool) -> Suite:
    """Write the checks as files of each runner."""
    binaries = bench.binaries
    if with_pgtap:
        binaries = find_binaries(explicit=str(PROGRAMS), explicit_source="Debian")
    folder = Path(bench.scratch) / "tests200"
    shutil.rmtree(folder, ignore_errors=True)
    for batch in sorted((ROOT / "sql").glob("[0-9]*")):
        shutil.copytree(batch, folder / "sql" / batch.name)
    found = checks200.numbered(checks200.checks(binaries.major))
    found = found[:: MODULES // 2] if bench.quick else found
    _write(folder / "pytest.ini", "[pytest]\n")
    _write(folder / "theirs/conftest.py", CONFTEST)
    for number in range(MODULES):
        part = found[number::MODULES]
        name = f"test_{number}.py"
        _write(folder / "undone" / name, checks200.as_batchgate(part, TOP))
        _write(folder / "clones" / name, checks200.as_batchgate_clones(part, TOP))
        _write(folder / "theirs" / name, checks200.as_pytest_postgresql(part))
    for check in found:
        _write(folder / "pgtap" / f"{check.name}.sql", checks200.as_pgtap(check))
    _write(folder / "functions.sql", _functions(found))
    return Suite(folder, binaries, len(found))


def _functions(found: Sequence[Check]) -> str:
    return "\n".join(("create schema tests;\n", *map(checks200.as_pgtap_function, found)))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _ours(suite: Suite, tests: str, *more: str) -> float:
    """Run batchgate from nothing, with its page and reports."""
    options = ["-q", "-p", "no:cacheprovider", f"--pg-bin={suite.binaries.directory}", *more]
    _run(suite, [sys.executable, "-m", "pytest", *options, tests], f"{suite.number} passed")
    return 0.0


def _theirs(suite: Suite, python: Path) -> float:
    """Run pytest-postgresql from nothing; its server refuses root, so we are nobody to it."""
    options = ["-q", "-p", "no:cacheprovider"]
    options.append(f"--postgresql-exec={suite.binaries.directory / 'pg_ctl'}")
    command = [str(python), "-m", "pytest", *options, "theirs"]
    with tempfile.TemporaryDirectory(dir=next(bases())) as memory:
        _run(suite, _as_nobody(suite.folder, command), f"{suite.number} passed", TMPDIR=memory)
    return 0.0


def _as_nobody(folder: Path, command: Sequence[str]) -> Sequence[str]:
    if os.geteuid() != 0:
        return command
    nobody = pwd.getpwnam("nobody")
    account = privileges.Account("namespace", "nobody", nobody.pw_uid, nobody.pw_gid)
    return privileges.command(account, folder, *command)


def _files(suite: Suite) -> list[str]:
    return [str(path) for path in sorted((suite.folder / "pgtap").glob("*.sql"))]


def _proven(suite: Suite, tests: Sequence[str]) -> float:
    """Run pg_prove on a server that is made for it; return what it took itself."""
    with ThrowAwayServer() as started:
        server = started.start(suite.binaries)
        create_database(server, "checks")
        laid = [part for path in _migrations(suite) for part in ("-f", str(path))]
        functions = ["-f", str(suite.folder / "functions.sql")] if "--runtests" in tests else []
        psql = [str(suite.binaries.directory / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1"]
        lay = [*psql, *laid, "-c", "create extension pgtap", *functions]
        _run(suite, lay, "", **_environment(server))
        begun = perf_counter()
        said = f"Tests={suite.number},"
        _run(suite, ["pg_prove", "--quiet", *tests], said, **_environment(server))
        return perf_counter() - begun


def _migrations(suite: Suite) -> list[Path]:
    return sorted(suite.folder.glob("sql/*/migration.sql"))


def _environment(server: Server) -> dict[str, str]:
    where = {"PGHOST": server.host, "PGPORT": str(server.port), "PGUSER": server.user}
    return {**where, "PGDATABASE": "checks", "PGOPTIONS": "-c client_min_messages=warning"}


def _run(suite: Suite, command: Sequence[str], said: str, **environment: str) -> None:
    """Run a command in the suite's folder; it has to succeed and to say that all passed."""
    mine = {
        name: value
        for name, value in os.environ.items()
        # The first would have every run compile all modules anew.
        if name not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS") and not name.startswith("PG")
    }
    done = subprocess.run(
        command,
        cwd=suite.folder,
        env={**mine, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not re.search(rf"(?<!\d){re.escape(said)}", done.stdout):
        raise SystemExit(f"{' '.join(command)[:200]}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    alone(figures, __doc__)
