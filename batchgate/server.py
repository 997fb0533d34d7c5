"""A throw-away PostgreSQL server: started for one run, reached by a socket only, then gone."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from psycopg.conninfo import make_conninfo

from batchgate import privileges
from batchgate.binaries import Binaries, copy_installation
from batchgate.cluster import (
    IN_FILES,
    INITDB_SETS,
    PATIENCE,
    PORT,
    SUPERUSER,
    Cluster,
    end_leftover,
    last_lines,
)
from batchgate.errors import ServerUnavailable
from batchgate.folders import (
    PrivateFolder,
    bases,
    make_folder,
    memory_is_short,
    permits_programs,
    sweep,
)
from batchgate.privileges import Account

# Makes the data of a cluster, as an account, by the programs in a folder that it can run.
Fill = Callable[[Cluster, Account, Path], None]


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a server is reached, as pytest-postgresql asks for it, and which one it is."""

    host: str
    port: int
    user: str
    version: str
    source: str
    bin_directory: str
    password: None = None
    options: str = ""
    maintenance_dbname: str = "postgres"
    template_dbname: str = "template1"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, to be handed to another process."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Return the server that `to_dict` described."""
        return cls(**fields)

    def conninfo(self, dbname: str) -> str:
        """Return what psql, libpq and psycopg take to connect to a database."""
        return make_conninfo(host=self.host, port=self.port, user=self.user, dbname=dbname)


class ThrowAwayServer:
    """Starts a server once, and leaves nothing behind.

    Start it from the main thread: the server ends when the thread that started it does.
    `settings` are added to those of cluster.SETTINGS, or replace them; `databases` says for how
    many there should be room.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, *, databases: int = 0) -> None:
        self._settings = settings or {}
        self._databases = databases
        self._ending = ExitStack()
        self._owner = os.getpid()
        self._started = False
        self._cluster: Cluster | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(
        self,
        binaries: Binaries,
        template: "ThrowAwayServer | None" = None,
        *,
        fill: Fill | None = None,
    ) -> Server:
        """Start the server and return its address as soon as it takes connections.

        Its files are new, or a copy of those of a `template` that rests, or what `fill` makes.
        Raises ServerUnavailable with the reason, or with the last lines of the log.
        """
        if self._started:
            raise RuntimeError("a throw-away server starts only once")
        self._started = True
        try:
            cluster = self._start(binaries, fill or self._filling(binaries, template))
        except BaseException:
            self.stop()
            raise
        return Server(
            host=str(cluster.socket_folder),
            port=int(self._settings.get("port", PORT)),
            user=SUPERUSER,
            version=binaries.version,
            source=binaries.source,
            bin_directory=str(binaries.directory),
        )

    def rest(self) -> None:
        """End the server in order and keep its files until `stop`."""
        assert self._process is not None, "only what was started can rest"
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        """End the server and remove its files; in a process forked off, do nothing."""
        if os.getpid() == self._owner:
            self._ending.close()

    def _start(self, binaries: Binaries, fill: Fill) -> Cluster:
        sweep(end_leftover)
        account = privileges.find_account()
        cluster = self._make_home(account)
        programs = self._runnable(binaries, account, cluster.home)
        fill(cluster, account, programs)
        memory = IN_FILES if memory_is_short() else {}
        log = self._ending.enter_context(cluster.log.open("wb"))
        command = cluster.server_command(programs, {**memory, **self._settings})
        process = privileges.start(account, cluster.home, log, *command)
        self._ending.callback(_end, process)
        cluster.await_ready(process)
        self._cluster, self._process = cluster, process
        return cluster

    def _filling(self, binaries: Binaries, template: "ThrowAwayServer | None") -> Fill:
        if template:
            assert template._cluster is not None, "a template was started once"
            other = template._cluster
            return lambda cluster, account, _: cluster.copy_data(account, other)
        memory = IN_FILES if memory_is_short() and binaries.major >= INITDB_SETS else {}
        return lambda cluster, account, programs: cluster.initialise(account, programs, memory)

    def _make_home(self, account: Account) -> Cluster:
        """Make a folder in which the server's user can live and whose socket can be reached."""
        refused: list[str] = []
        for folder in self._folders(bases(self._databases), refused):
            cluster = Cluster(folder.path)
            if reason := cluster.no_socket():
                refused.append(f"{folder.path.parent}: {reason}")
                continue
            cluster.socket_folder.mkdir(mode=0o700)
            folder.give_to(*account.owner)
            probe = privileges.run(account, folder.path)
            if probe.returncode == 0:
                return cluster
            refused.append(f"user {account.name}, {last_lines(probe.stdout)}")
        raise ServerUnavailable(
            "server: expected a folder for its files, found none",
            cause="\n".join(refused),
            fix="Set TMPDIR to a folder of short path, without a comma, that every user may enter.",
        )

    def _runnable(self, binaries: Binaries, account: Account, home: Path) -> Path:
        """Return a folder of programs that the server's user can run, of a copy if need be."""
        if not (reason := _refusal(account, home, binaries.directory)):
            return binaries.directory
        refused = [reason]
        for folder in self._folders(filter(permits_programs, bases()), refused):
            programs = copy_installation(binaries.directory, folder.path)
            folder.give_to(*account.owner)
            if not (reason := _refusal(account, home, programs)):
                return programs
            refused.append(reason)
        raise ServerUnavailable(
            f"server: expected user {account.name} to run {binaries.directory}/postgres or a copy",
            cause="\n".join(refused),
            fix="Name programs that every user may run by --pg-bin DIR, or set TMPDIR to a folder"
            " from which programs may be run.",
        )

    def _folders(self, places: Iterator[Path], refused: list[str]) -> Iterator[PrivateFolder]:
        """Make a private folder in each place in turn, noting where none can be made."""
        for place in places:
            try:
                folder = make_folder(place)
            except OSError as error:
                refused.append(f"{place}: {error.strerror}")
                continue
            self._ending.callback(folder.remove)
            yield folder


def _refusal(account: Account, home: Path, programs: Path) -> str:
    probe = privileges.run(account, home, str(programs / "postgres"), "--version")
    return "" if probe.returncode == 0 else f"user {account.name}, {last_lines(probe.stdout)}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
