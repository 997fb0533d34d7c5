"""What may lie between a client and its server: PgBouncer, TLS, passwords, a wire that breaks."""

import asyncio
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from psycopg import sql
from psycopg.conninfo import make_conninfo
from waits import PATIENCE, absent, until

from batchgate import privileges
from batchgate.binaries import Binaries, find_binaries
from batchgate.cluster import Cluster
from batchgate.database import connect
from batchgate.folders import bases, make_folder
from batchgate.privileges import Account
from batchgate.server import Fill, Server, ThrowAwayServer

_LOOPBACK = "127.0.0.1"
_CHUNK = 65536
_BOUNCER_PORT = 6432
# Debian keeps it where only root looks.
_BOUNCER_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


@contextmanager
def pgbouncer(
    server: Server,
    *,
    pool_mode: str = "transaction",
    pool_size: int = 5,
    users: tuple[str, ...] = ("postgres",),
    dbname: str = "postgres",
    settings: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run PgBouncer before a server and yield how to reach it, as the first of `users`.

    Its console is the database pgbouncer, for that user.
    """
    program = shutil.which("pgbouncer", path=_BOUNCER_PATH)
    if not program:
        absent("pgbouncer", "PgBouncer is not installed: apt-get install pgbouncer")
    account = privileges.find_account()
    folder = make_folder(next(bases()))
    log = folder.path / "log"
    try:
        (folder.path / "users").write_text("".join(f'"{user}" ""\n' for user in users))
        options = {
            "listen_port": str(_BOUNCER_PORT),
            "unix_socket_dir": str(folder.path),
            "auth_type": "trust",
            "auth_file": str(folder.path / "users"),
            "admin_users": users[0],
            "pool_mode": pool_mode,
            "default_pool_size": str(pool_size),
            **(settings or {}),
        }
        lines = [f"{name} = {value}" for name, value in options.items()]
        target = f"* = host={server.host} port={server.port}"
        text = "\n".join(("[databases]", target, "[pgbouncer]", *lines, ""))
        (folder.path / "ini").write_text(text)
        folder.give_to(*account.owner)
        with log.open("wb") as said:
            ini = str(folder.path / "ini")
            process = privileges.start(account, folder.path, said, program, "-q", ini)
        try:
            listening = folder.path / f".s.PGSQL.{_BOUNCER_PORT}"
            # Its socket has a name before it listens there.
            until(lambda: _is_heard(listening) or process.poll() is not None, "PgBouncer to start")
            assert process.poll() is None, log.read_text()
            yield make_conninfo(
                host=str(folder.path), port=_BOUNCER_PORT, user=users[0], dbname=dbname
            )
        finally:
            process.terminate()
            process.wait(PATIENCE)
    finally:
        folder.remove()


def _is_heard(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(str(path)) == 0


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A server on loopback that asks for a password; `server` is its socket, for its owner."""

    server: Server
    user: str
    password: str
    certificate: Path | None

    def conninfo(self, dbname: str = "postgres", **changes: str) -> str:
        """Return how to reach it by TCP, its certificate verified where it has one."""
        parts = {"host": _LOOPBACK, "port": str(self.server.port), "dbname": dbname}
        parts |= {"user": self.user, "password": self.password}
        if self.certificate:
            parts |= {"sslmode": "verify-full", "sslrootcert": str(self.certificate)}
        return make_conninfo("", **{**parts, **changes})


@contextmanager
def password_server(
    binaries: Binaries | None = None,
    *,
    user: str = "gate_reader",
    password: str = "correct horse battery staple",
    tls: bool = False,
) -> Iterator[Guarded]:
    """Start a server that wants a password (scram-sha-256) on loopback, over TLS alone if `tls`."""
    programs = binaries or find_binaries(explicit=None, explicit_source="")
    with socket.create_server((_LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    settings = {"listen_addresses": _LOOPBACK, "port": str(port)}
    settings |= {"password_encryption": "scram-sha-256", "ssl": "on" if tls else "off"}
    with ThrowAwayServer(settings) as throw_away:
        server = throw_away.start(programs, fill=_guard("hostssl" if tls else "host"))
        create = sql.SQL("create role {} login password {}")
        with connect(server, "postgres") as session:
            session.execute(create.format(sql.Identifier(user), sql.Literal(password)))
        certificate = Cluster(Path(server.host).parent).data / "server.crt" if tls else None
        yield Guarded(server=server, user=user, password=password, certificate=certificate)


@contextmanager
def tls_server(
    *, user: str = "gate_reader", password: str = "correct horse battery staple"
) -> Iterator[Guarded]:
    """Start a server that wants TLS and a password, of Debian's programs: the wheel's lack TLS."""
    folders = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    found = sorted(folders, key=lambda folder: float(folder.parent.name), reverse=True)
    if not found:
        absent("tls", "no PostgreSQL with TLS is installed: apt-get install postgresql-15")
    if not shutil.which("openssl"):
        absent("tls", "openssl is not installed: apt-get install openssl")
    binaries = find_binaries(explicit=str(found[0]), explicit_source="Debian")
    with password_server(binaries, user=user, password=password, tls=True) as guarded:
        yield guarded


def _guard(kind: str) -> Fill:
    """Return what makes data whose server asks everyone but its owner for a password."""

    def fill(cluster: Cluster, account: Account, programs: Path) -> None:
        cluster.initialise(account, programs)
        rules = f"local all postgres trust\n{kind} all all {_LOOPBACK}/32 scram-sha-256\n"
        (cluster.data / "pg_hba.conf").write_text(rules)
        if kind == "hostssl":
            _certify(cluster.data, account)

    return fill


def _certify(folder: Path, account: Account) -> None:
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=batchgate", "-out", "server.crt"),
            *("-addext", f"subjectAltName=IP:{_LOOPBACK}", "-keyout", "server.key"),
        ),
        cwd=folder,
        capture_output=True,
        check=True,
    )
    for name in ("server.crt", "server.key"):
        (folder / name).chmod(0o600)
        shutil.chown(folder / name, *account.owner)


class Wire:
    """A way to a server by TCP, that can be cut, or fall silent with both ends left waiting.

    The machine goes on acknowledging what a silent wire takes in: to both ends it looks like a
    peer that hangs, and not like one that is gone.
    """

    def __init__(self, target: Server | int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._word = b""
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = Thread(target=self._loop.run_forever, name="wire")
        self._thread.start()
        self._listener = self._do(asyncio.start_server(self._accept, _LOOPBACK, 0))
        self.port: int = self._listener.sockets[0].getsockname()[1]

    def conninfo(self, dbname: str = "postgres", **parts: str) -> str:
        """Return how to reach the server by this wire."""
        given = {"user": "postgres", "sslmode": "disable", "gssencmode": "disable", **parts}
        return make_conninfo(host=_LOOPBACK, port=self.port, dbname=dbname, **given)

    def cut(self) -> None:
        """Break off every connection, for both ends at once; new ones are let through."""
        self._do(self._cut())

    def freeze(self) -> None:
        """Carry nothing more in either direction, nor the end of a connection."""
        self._do(self._set(flowing=False))

    def freeze_at(self, word: bytes) -> None:
        """Freeze as soon as either end says a word, with what it was said in held back."""
        self._word = word

    @property
    def frozen(self) -> bool:
        """Tell whether the wire carries nothing."""
        return not self._flowing.is_set()

    def thaw(self) -> None:
        """Carry again, what was held back first."""
        self._word = b""
        self._do(self._set(flowing=True))

    def close(self) -> None:
        """End the wire and whatever it carries."""
        try:
            self._do(self._end())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
            self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _set(self, *, flowing: bool) -> None:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _cut(self) -> None:
        ends = tuple(self._ends)
        # All before any has ended: the others would be told of it politely.
        for end in ends:
            wire = end.get_extra_info("socket")
            if wire.fileno() >= 0:
                # With nothing to linger for, the end is a reset.
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()
        for end in ends:
            with suppress(OSError):
                await end.wait_closed()

    async def _end(self) -> None:
        self._listener.close()
        await self._cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(asyncio.CancelledError, OSError), self._end_of(writer):
            await self._flowing.wait()
            there, back = await self._open()
            with self._end_of(back):
                await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    @contextmanager
    def _end_of(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._ends.add(writer)
        try:
            yield
        finally:
            self._ends.discard(writer)
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, int):
            return await asyncio.open_connection(_LOOPBACK, self._target)
        path = Path(self._target.host) / f".s.PGSQL.{self._target.port}"
        return await asyncio.open_unix_connection(str(path))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(_CHUNK):
                if self._word and self._word in piece:
                    self._flowing.clear()
                await self._flowing.wait()
                target.write(piece)
                await target.drain()
        await self._flowing.wait()
        target.close()


@contextmanager
def cuttable(target: Server | int) -> Iterator[Wire]:
    """Open a wire to a server's socket, or to a port on loopback."""
    wire = Wire(target)
    try:
        yield wire
    finally:
        wire.close()
