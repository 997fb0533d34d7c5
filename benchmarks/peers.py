"""Install the peers: each in an environment of its own, at the versions that its file pins.

A peer is a folder under peers/ with a requirements.txt. Nothing of it gets into the project, nor
into the environment that the project runs in.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent / "peers"
_SHOWN = 300


class PeerMissing(Exception):
    """A peer could not be installed, and why."""


def folder_of(peer: str) -> Path:
    """Return the folder of what is ours about a peer: its versions and its settings."""
    return HERE / peer


def programs_of(peer: str, scratch: Path) -> Path:
    """Return the folder of a peer's programs; installs it where that was not yet done.

    Raises PeerMissing with pip's last words.
    """
    wanted = (folder_of(peer) / "requirements.txt").read_text()
    home = scratch / "peers" / peer
    done = home / "installed.txt"
    if not (done.is_file() and done.read_text() == wanted):
        print(f"installing {', '.join(wanted.split())}", flush=True)
        _run(peer, [sys.executable, "-m", "venv", "--clear", str(home)])
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        listed = ["-r", str(folder_of(peer) / "requirements.txt")]
        _run(peer, [str(home / "bin/python"), *install, *listed])
        done.write_text(wanted)
    return home / "bin"


def versions_of(peer: str, scratch: Path) -> dict[str, str]:
    """Return the version of everything in a peer's environment."""
    command = [str(programs_of(peer, scratch) / "python"), "-m", "pip", "list", "--format", "json"]
    found = json.loads(_run(peer, [*command, "--disable-pip-version-check"]))
    return {each["name"]: each["version"] for each in found}


def installed(scratch: Path) -> dict[str, dict[str, str]]:
    """Return what is installed of every peer, by its name."""
    homes = sorted((scratch / "peers").glob("*/installed.txt"))
    return {home.parent.name: versions_of(home.parent.name, scratch) for home in homes}


def _run(peer: str, command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())[-_SHOWN:]
        raise PeerMissing(f"{peer} could not be installed: {words}")
    return done.stdout
