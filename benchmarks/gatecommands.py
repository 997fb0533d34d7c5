"""The gates as commands, start-up included: batchgate's, dbt's and Soda's, over the same SQL.

The peers' files are written from gates/*.sql: nothing is kept twice. A gate whose rows are figures
becomes the rows that have a finding, since the peers take every row for an offence.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from time import perf_counter

from figures import Bench
from peers import PeerMissing, folder_of, programs_of

from batchgate.server import Server
from batchgate.suite import Gate, Suite

ROOT = Path(__file__).resolve().parent.parent
READER = "gate_reader"
CHECK, TWO_JOBS, PYTEST = "batchgate check", "batchgate check --jobs 2", "pytest -m gates"
OURS = (CHECK, TWO_JOBS)
PEERS = ("dbt", "soda")
# Nobody tells anyone at home how it is used; Soda has this in a file under HOME.
SILENT = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
SODA_SILENT = "send_anonymous_usage_stats: false\n"
_SHOWN = 2000


@dataclass(frozen=True)
class Command:
    """A command over all gates: `{dsn}` in it stands for the database."""

    name: str
    words: Sequence[str]
    folder: Path
    told: str


def prepare(bench: Bench, suite: Suite) -> tuple[list[Command], dict[str, str]]:
    """Return the commands that can be run here, and why others cannot, by their names."""
    project = _project(bench.scratch / "project")
    python = [sys.executable, "-m"]
    pytest = [*python, "pytest", "-q", "-p", "no:cacheprovider", "-m", "gates", "--dsn", "{dsn}"]
    commands = [Command(PYTEST, [*pytest, "gates"], project, "Gates pass")]
    missing = {}
    batchgate = str(Path(sys.executable).parent / "batchgate")
    for name in OURS:
        words = [batchgate, *name.split()[1:]]
        if _is_there(*words):
            commands.append(Command(name, [*words, "--dsn", "{dsn}"], project, ""))
        else:
            missing[name] = "this version has no such command"
    for peer, written in zip(PEERS, (_dbt, _soda), strict=True):
        try:
            programs = programs_of(peer, bench.scratch)
        except PeerMissing as reason:
            missing[peer] = str(reason)
        else:
            commands.append(written(programs, bench.scratch / f"{peer}-gates", suite.gates))
    return commands, missing


def run(
    command: Command, server: Server, name: str, scratch: Path, *, passes: bool = True
) -> float:
    """Run a command over a database; return the seconds from its start to its end.

    Raises SystemExit with its last words where it ends otherwise than it should.
    """
    dsn = f"postgresql://{READER}@/{name}?host={server.host}&port={server.port}"
    words = [word.replace("{dsn}", dsn) for word in command.words]
    begun = perf_counter()
    done = subprocess.run(
        words,
        cwd=command.folder,
        env=_environment(server, name, scratch),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = perf_counter() - begun
    told = re.search(command.told, done.stdout)
    if passes != (done.returncode == 0) or (passes and not told):
        wanted = "a pass" if passes else "a failure"
        said = done.stdout[-_SHOWN:]
        raise SystemExit(f"{command.name}: expected {wanted}, found {done.returncode}\n{said}")
    return seconds


def _environment(server: Server, name: str, scratch: Path) -> Mapping[str, str]:
    home = scratch / "home"
    (home / ".soda").mkdir(parents=True, exist_ok=True)
    (home / ".soda/config.yml").write_text(SODA_SILENT)
    where = {"PGHOST": server.host, "PGPORT": str(server.port), "PGUSER": READER}
    given = {**os.environ, **where, **SILENT, "PGDATABASE": name, "HOME": str(home)}
    # As where one is installed: what Python has compiled once it keeps.
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    return given


def _project(folder: Path) -> Path:
    """Copy what pytest needs of the project, so that its reports go elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, folder)
    for name in ("sql", "gates", "scenarios/sample"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def _is_there(*words: str) -> bool:
    asked = [*words, "--help"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _dbt(programs: Path, folder: Path, gates: Sequence[Gate]) -> Command:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folder_of("dbt"), folder)
    (folder / "tests").mkdir()
    for gate in gates:
        level = "error" if gate.level == "required" else "warn"
        text = f"{{{{ config(severity='{level}') }}}}\n{_offences(gate)}\n"
        (folder / "tests" / f"{gate.name}.sql").write_text(text)
    words = [str(programs / "dbt"), "test", "--profiles-dir", ".", "--no-version-check"]
    return Command("dbt", words, folder, f"PASS={len(gates)} ")


def _soda(programs: Path, folder: Path, gates: Sequence[Gate]) -> Command:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folder_of("soda"), folder)
    checks = "".join(
        f"  - failed rows:\n      name: {gate.name}\n      fail query: |\n"
        f"{indent(_offences(gate), ' ' * 8)}\n"
        for gate in gates
    )
    (folder / "checks.yml").write_text(f"checks:\n{checks}")
    words = [str(programs / "soda"), "scan", "-d", "gates", "-c", "configuration.yml", "checks.yml"]
    count = len(gates)
    return Command("soda", words, folder, f"{count}/{count} checks PASSED")


def _offences(gate: Gate) -> str:
    """Return a gate's statement, or what of its figures is an offence."""
    statement = gate.sql.rstrip().removesuffix(";")
    if gate.rows != "figures":
        return statement
    return f"select *\nfrom (\n{indent(statement, '    ')}\n) as f\nwhere f.finding is not null"
