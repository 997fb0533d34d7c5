"""Runs files as the user does, by psql alone, and unchanged through the harness."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from batchgate.fixtures import Database
from batchgate.script import Script, run_script

ROOT = Path(__file__).parent.parent
SQL = ROOT / "sql"
BATCHES = sorted(folder.name for folder in SQL.glob("[0-9]*_*"))
# What every printed command adds: without it psql exits with 0 after an error.
STRICT = ("-v", "ON_ERROR_STOP=1")

_RANDOM = (
    "=== GATE 7: Random Sampling - Customer Linkage ===",
    "=== GATE 8: Message Role Distribution ===",
)
_PREFIX = re.compile(r"psql:\S+:\d+: ")
_TAG = re.compile(
    r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|SET|RESET|DO|ANALYZE|LOCK TABLE"
    r"|(CREATE|ALTER|DROP) [A-Z ]+|(SELECT|INSERT 0|UPDATE|DELETE|COPY) \d+)"
)


@dataclass(frozen=True)
class Said:
    """What a run of one file printed, standard output and error together, and its exit code."""

    exit_code: int
    lines: list[str]

    @property
    def error(self) -> str:
        """Return the first error's headline, or nothing."""
        return next((line for line in self.lines if line.startswith("ERROR: ")), "")

    @property
    def hint(self) -> str:
        """Return the first hint's line, or nothing."""
        return next((line for line in self.lines if line.startswith("HINT: ")), "")

    @property
    def steady(self) -> list[str]:
        """Leave out customers taken at random and the server's statistics."""
        lines = self.lines
        if _RANDOM[0] in lines:
            lines = lines[: lines.index(_RANDOM[0])] + lines[lines.index(_RANDOM[1]) :]
        return [line for line in lines if "scans=" not in line]

    @property
    def commands(self) -> list[str]:
        """Return the lines that tell the user to run psql on a file."""
        return [line for line in self.lines if "psql " in line and " -f " in line]

    def shows(self, expected: str) -> bool:
        """Tell whether all lines of a text were printed in its order, perhaps among others."""
        rest = iter(self.lines)
        return all(line in rest for line in bare(expected))


def bare(text: str) -> list[str]:
    """Return a text's lines without white space, command tags and psql's prefixes."""
    lines = (" ".join(_PREFIX.sub("", line, count=1).split()) for line in text.splitlines())
    return [line.removeprefix("NOTICE: ") for line in lines if line and not _TAG.fullmatch(line)]


def by_psql(database: Database, file: str | Path, *options: str) -> Said:
    """Run `psql "$DATABASE_URL" -f FILE` in the root; a relative file is one under sql/."""
    server = database.harness.server
    url = (
        f"postgresql://{server.user}@/{database.name}?host={quote(server.host)}&port={server.port}"
    )
    beside = Path(server.bin_directory) / "psql"
    program = str(beside) if beside.exists() else shutil.which("psql")
    assert program, "psql comes with the wheel, or is on PATH"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    ran = subprocess.run(
        [program, url, *options, "-f", str(Path("sql") / file)],
        cwd=ROOT,
        env={**inherited, "PSQLRC": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return Said(ran.returncode, bare(ran.stdout))


def by_harness(database: Database, file: str | Path) -> Said:
    """Run the same file through the harness, whose exit code is that of a strict psql."""
    with database.harness.heights.connect(database.name) as connection:
        ran = run_script(connection, _read(SQL / file))
    return Said(ran.exit_code, bare(ran.text))


@cache
def _read(path: Path) -> Script:
    return Script(path, ROOT)
