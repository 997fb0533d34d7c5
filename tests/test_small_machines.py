"""Little shared memory and full disks: a server starts where it can, and says what is missing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PATH = os.pathsep.join(filter(None, sys.path))
# Mounts that only this program sees.
MOUNT = """
mount -t tmpfs -o size=1m tmpfs /dev/shm
mount -t tmpfs -o size=$1 tmpfs $2
chmod 1777 $2
shift 2
exec "$@"
"""
PROGRAM = """
from itertools import count
from batchgate.binaries import find_binaries
from batchgate.database import connect, create_database
from batchgate.errors import ServerUnavailable
from batchgate.server import ThrowAwayServer

with ThrowAwayServer() as throw_away:
    server = throw_away.start(find_binaries(explicit=None, explicit_source=""))
    {then}
"""
SORT_IN_PARALLEL = """
    with connect(server, "postgres") as session:
        session.execute("set max_parallel_workers_per_gather = 2")
        session.execute("set parallel_setup_cost = 0")
        session.execute("set min_parallel_table_scan_size = 0")
        session.execute("create table t as select n from generate_series(1, 100000) as n")
        session.execute("analyze t")
        print(session.execute("select count(*) from t as a join t as b using (n)").fetchone())
"""
FILL_UP = """
    try:
        for number in count():
            create_database(server, f"copy_{number}", "template1")
    except ServerUnavailable as error:
        print(error.message.headline, error.message.cause, error.message.fix)
"""


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str, str], str]:
    """Run a program where /dev/shm holds 1 MB and the temporary folder as much as is said."""
    folder = Path(f"/tmp/small-{os.getpid()}")
    command = ("unshare", "-rm" if os.geteuid() else "-m", "bash", "-ec", MOUNT, "-")
    folder.mkdir()
    try:
        if subprocess.run((*command, "1m", folder, "true"), check=False).returncode:
            pytest.skip("mounts of one's own are not permitted here")

        def run(room: str, then: str) -> str:
            done = subprocess.run(
                (*command, room, folder, sys.executable, "-c", PROGRAM.format(then=then)),
                env={**os.environ, "PYTHONPATH": PATH, "TMPDIR": str(folder)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.stderr == ""
            return done.stdout

        yield run
    finally:
        folder.rmdir()


def test_a_server_needs_no_shared_memory_of_the_systems(machine: Callable[[str, str], str]):
    assert machine("200m", SORT_IN_PARALLEL) == "(100000,)\n"


def test_a_disk_without_room_for_a_clone_is_said_so(machine: Callable[[str, str], str]):
    said = machine("80m", FILL_UP)
    assert said.startswith("server: expected room for database copy_")
    assert "No space left on device" in said
    assert "about 20 MB for each batch" in said
