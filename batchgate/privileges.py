"""Run programs as a user whom PostgreSQL accepts: not root, and known to the system."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from batchgate import launch
from batchgate.errors import ServerUnavailable


@dataclass(frozen=True)
class Account:
    """Whom the server runs as, and how we become that.

    `how` is "self" (as we are), "user" (by changing user, as root) or "namespace" (by a user
    namespace that shows us under another name; files stay ours).
    """

    how: str
    name: str
    uid: int
    gid: int

    @property
    def owner(self) -> tuple[int, int]:
        """Return the uid and gid of the server's files as they look from here."""
        return (self.uid, self.gid) if self.how == "user" else (os.geteuid(), os.getegid())


def find_account() -> Account:
    """Choose whom the server runs as; raises ServerUnavailable where nobody will do."""
    refused = []
    for account in _accounts():
        if account.how == "self":
            return account
        probe = run(account, Path("/"))
        if probe.returncode == 0:
            return account
        refused.append(f"{account.name}, by {account.how}: {probe.stdout.strip()}")
    raise ServerUnavailable(
        "server: expected a user that PostgreSQL may run as, found none",
        cause="\n".join(refused) or "no user postgres or nobody is known here",
        fix="Run as an ordinary user, or where changing user (or user namespaces) is permitted.",
    )


def command(account: Account, folder: Path, *program: str) -> Sequence[str]:
    """Return the command line that runs `program` in `folder` as `account`.

    The program ends when the thread that started it does: start servers from the main thread.
    """
    who = (account.how, str(account.uid), str(account.gid), str(os.getpid()))
    return (sys.executable, "-I", "-S", str(Path(launch.__file__)), *who, str(folder), *program)


def run(account: Account, folder: Path, *program: str) -> subprocess.CompletedProcess[str]:
    """Run `program` to its end, its output and its errors in one."""
    return subprocess.run(
        command(account, folder, *program),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=without_pg(os.environ),
        errors="replace",
        start_new_session=True,
        check=False,
    )


def start(account: Account, folder: Path, log: IO[bytes], *program: str) -> subprocess.Popen[bytes]:
    """Start `program`, out of reach of the terminal's Ctrl-C; all that it says goes to `log`."""
    return subprocess.Popen(
        command(account, folder, *program),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=without_pg(os.environ),
        start_new_session=True,
    )


def without_pg(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without PostgreSQL's variables, which would lead programs elsewhere."""
    return {name: value for name, value in environment.items() if not name.startswith("PG")}


def _accounts() -> Iterator[Account]:
    if os.geteuid() == 0:
        yield from _known("user", "postgres")
        yield from _known("user", "nobody")
    else:
        yield from _known("self", os.geteuid())
    yield from _known("namespace", "nobody")


def _known(how: str, who: str | int) -> Iterator[Account]:
    try:
        entry = pwd.getpwuid(who) if isinstance(who, int) else pwd.getpwnam(who)
    except KeyError:
        return
    yield Account(how, entry.pw_name, entry.pw_uid, entry.pw_gid)
