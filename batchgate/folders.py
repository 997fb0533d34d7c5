"""Private folders that end with the run, or, where it was killed, with the next one."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

PREFIX = "batchgate-"

_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED = 512 * 2**20
# A server of its own takes this much with its log and some clones; a database is 8 MB, empty.
_SERVER_NEEDS = 340 * 2**20
_DATABASE_NEEDS = 10 * 2**20
_LOCK = "lock"
# A removal is tried again where somebody writes still; seconds between.
_LOOKS, _LOOK_AGAIN = 50, 0.02


@dataclass(frozen=True)
class PrivateFolder:
    """A folder of mode 0700; whoever can lock its lock file may remove it."""

    path: Path
    lock: int

    def give_to(self, uid: int, gid: int) -> None:
        """Hand the folder and all that is in it to the server's user; the lock stays ours."""
        if (uid, gid) == (os.geteuid(), os.getegid()):
            return
        for place, folders, files in os.walk(self.path):
            for name in (*folders, *files):
                if name != _LOCK:
                    os.chown(Path(place, name), uid, gid, follow_symlinks=False)
        os.chown(self.path, uid, gid)

    def remove(self) -> None:
        """Remove the folder with all that is in it, and let go of the lock."""
        try:
            # Ours again first: a removal cut short then leaves what the next sweep knows as ours.
            os.chown(self.path, os.geteuid(), os.getegid())
            for _ in range(_LOOKS):
                shutil.rmtree(self.path, ignore_errors=True)
                if not self.path.exists():
                    return
                # What initdb had begun may write for a moment after it was killed.
                Event().wait(_LOOK_AGAIN)
            shutil.rmtree(self.path)
        finally:
            os.close(self.lock)


def bases(databases: int = 0) -> Iterator[Path]:
    """Yield where the data of a server with so many databases may live, the fastest first."""
    needed = max(_MEMORY_NEEDED, _SERVER_NEEDS + databases * _DATABASE_NEEDS)
    if _MEMORY.is_dir() and _room(_MEMORY) >= needed:
        yield _MEMORY
    yield from _temporary_bases()


def memory_is_short() -> bool:
    """Tell whether the system's shared memory may not do for parallel queries."""
    return _MEMORY.is_dir() and _room(_MEMORY) < _MEMORY_NEEDED


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def permits_programs(base: Path) -> bool:
    """Tell whether programs in a folder may be run; containers mount /dev/shm without."""
    return not os.statvfs(base).f_flag & os.ST_NOEXEC


def make_folder(base: Path) -> PrivateFolder:
    """Make a private folder in `base`."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        # A sweep that came between the two has taken the folder for a leftover.
        if (lock := _take_lock(path)) is not None:
            return PrivateFolder(path, lock)


def sweep(before_removal: Callable[[Path], None]) -> None:
    """Remove what killed runs of this user left behind, and nothing that is in use."""
    for base in {_MEMORY, *_temporary_bases()}:
        for path in base.glob(f"{PREFIX}*"):
            # What cannot be looked at or removed is not ours, or being removed by another run.
            with suppress(OSError):
                _sweep_one(path, before_removal)


def _temporary_bases() -> Iterator[Path]:
    usual = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))
    yield from dict.fromkeys(path for path in usual if path.is_dir())


def _sweep_one(path: Path, before_removal: Callable[[Path], None]) -> None:
    if not _is_ours(path) or (lock := _take_lock(path)) is None:
        return
    with ExitStack() as stack:
        stack.callback(PrivateFolder(path, lock).remove)
        before_removal(path)


def _is_ours(path: Path) -> bool:
    folder = path.lstat()
    if not stat.S_ISDIR(folder.st_mode):
        return False
    try:
        owner = (path / _LOCK).lstat().st_uid
    except FileNotFoundError:
        owner = folder.st_uid
    return owner == os.geteuid()


def _take_lock(path: Path) -> int | None:
    """Return the lock's descriptor, or None where another process has it or took the folder."""
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        lock = os.open(path / _LOCK, flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if os.fstat(lock).st_nlink == 0:
        os.close(lock)
        return None
    return lock
