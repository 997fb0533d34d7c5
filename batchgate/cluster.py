"""The files of one server: how they are made, what they tell, and what a killed run leaves."""

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from batchgate import privileges
from batchgate.errors import ServerUnavailable
from batchgate.privileges import Account

PORT = 5432
SUPERUSER = "postgres"
PATIENCE = 60.0

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    # Several workers, each with a scenario's sessions and clones in the making.
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
    # Statistics that come when they like would make plans differ from run to run.
    "autovacuum": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

# Where the system has little shared memory, the server keeps its own in files beside its data.
IN_FILES: Mapping[str, str] = {"dynamic_shared_memory_type": "mmap"}

INITDB_SETS = 16

# Shorter than Linux's 108 bytes and macOS's 104, with the zero byte at the end.
_SOCKET_PATH_LIMIT = 103
_PAUSE = 0.005
_LAST_LINES = 12


@dataclass(frozen=True)
class Cluster:
    """Data, socket and log in one private folder."""

    home: Path

    @property
    def data(self) -> Path:
        """Return the data directory, which initdb makes."""
        return self.home / "data"

    @property
    def socket_folder(self) -> Path:
        """Return the folder that clients take for the host."""
        return self.home / "socket"

    @property
    def log(self) -> Path:
        """Return the file of all that the server says."""
        return self.home / "log"

    def no_socket(self) -> str:
        """Return why clients could not be told of a socket here, or nothing."""
        if len(os.fsencode(self.socket_folder / f".s.PGSQL.{PORT}")) >= _SOCKET_PATH_LIMIT:
            return "too long for a socket's path"
        return "a comma parts hosts" if "," in str(self.home) else ""

    def initialise(
        self, account: Account, programs: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        """Make the data directory; raises ServerUnavailable with what initdb said.

        `settings` hold while it is made; initdb takes them from version 16 on.
        """
        made = privileges.run(
            account,
            self.home,
            str(programs / "initdb"),
            f"--pgdata={self.data}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            # The one locale that sorts alike on every machine and every version.
            "--locale=C",
            "--no-sync",
            "--no-instructions",
            *(f"--set={name}={value}" for name, value in (settings or {}).items()),
        )
        if made.returncode != 0:
            raise ServerUnavailable(
                f"server: expected initdb to succeed, it ended with {made.returncode}",
                at=str(programs),
                cause=last_lines(made.stdout),
                fix="Give /dev/shm more room, or name programs of version 16 or newer by"
                " --pg-bin DIR."
                if "could not resize shared memory" in made.stdout
                else "Put right what initdb says, or name other programs by --pg-bin DIR.",
            )

    def copy_data(self, account: Account, other: "Cluster") -> None:
        """Take over the data of a server that has ended; raises ServerUnavailable where not."""
        copy = shutil.which("cp", path=os.defpath) or "cp"
        made = privileges.run(account, self.home, copy, "-Rp", str(other.data), str(self.data))
        if made.returncode != 0:
            raise ServerUnavailable(
                f"server: expected a copy of {other.data}, cp ended with {made.returncode}",
                cause=last_lines(made.stdout),
                fix="Make room for it, about 60 MB.",
            )

    def server_command(self, programs: Path, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Return the command that runs the server with `settings` added to SETTINGS."""
        # A list of folders, of which this is one whatever signs it holds.
        socket = '"' + str(self.socket_folder).replace('"', '""') + '"'
        together = {**SETTINGS, "unix_socket_directories": socket, **settings}
        options = (part for name, value in together.items() for part in ("-c", f"{name}={value}"))
        return (str(programs / "postgres"), "-D", str(self.data), *options)

    def await_ready(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the server takes connections; raises ServerUnavailable with its log's end."""
        deadline = monotonic() + PATIENCE
        failure = ""
        while not failure and not self._is_ready():
            if monotonic() > deadline:
                failure = f"it was not ready within {PATIENCE:.0f} s"
            with suppress(subprocess.TimeoutExpired):
                failure = f"it ended with {process.wait(timeout=_PAUSE)}"
        if failure:
            raise ServerUnavailable(
                f"server: expected PostgreSQL to start, {failure}",
                cause=last_lines(self.log.read_text(errors="replace")),
                fix="Put right what the log says, or name other programs by --pg-bin DIR.",
            )

    def _is_ready(self) -> bool:
        # The server keeps its state in the eighth line.
        state = self._pid_file()[7:8]
        return [line.strip() for line in state] == ["ready"]

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def server_process(self) -> int | None:
        """Return a descriptor of the process that serves these files, or None."""
        first = self._pid_file()[:1]
        if not first or not first[0].isdigit():
            return None
        try:
            process = os.pidfd_open(int(first[0]))
        except ProcessLookupError:
            return None
        # A server lives in its data directory; another process may bear its number by now.
        with suppress(OSError):
            if Path("/proc", first[0], "cwd").samefile(self.data):
                return process
        os.close(process)
        return None


def end_leftover(home: Path) -> None:
    """End the server that a killed run may have left in its folder."""
    process = Cluster(home).server_process()
    if process is None:
        return
    try:
        signal.pidfd_send_signal(process, signal.SIGQUIT)
        poll = select.poll()
        poll.register(process, select.POLLIN)
        if not poll.poll(PATIENCE * 1000):
            raise TimeoutError(f"the server in {home} does not end")
    finally:
        os.close(process)


def last_lines(text: str) -> str:
    """Return the end of a log, short enough for a message."""
    return "\n".join(text.strip().splitlines()[-_LAST_LINES:])
