import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgate import folders
from batchgate.cluster import end_leftover
from batchgate.folders import make_folder, sweep

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that is looked at."""
    monkeypatch.setattr(folders, "_MEMORY", tmp_path)
    monkeypatch.setattr(folders, "_temporary_bases", lambda: iter(()))
    return tmp_path


def leftover(base: Path) -> Path:
    """A folder as a killed run leaves it: its lock is nobody's."""
    folder = make_folder(base)
    os.close(folder.lock)
    return folder.path


def test_a_folder_is_private_and_leaves_nothing(base: Path):
    folder = make_folder(base)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "file").touch()
    folder.remove()
    assert list(base.iterdir()) == []


def test_a_leftover_is_swept(base: Path):
    path = leftover(base)
    (path / "data").mkdir()
    (path / "data" / "file").touch()
    sweep(end_leftover)
    assert list(base.iterdir()) == []


def test_a_folder_killed_before_it_had_a_lock_is_swept(base: Path):
    tempfile.mkdtemp(prefix=folders.PREFIX, dir=base)
    sweep(end_leftover)
    assert list(base.iterdir()) == []


def test_a_folder_in_use_stays(base: Path):
    folder = make_folder(base)
    sweep(end_leftover)
    assert folder.path.is_dir()
    folder.remove()


def test_what_is_no_folder_of_ours_stays(base: Path):
    (base / "other").mkdir()
    target = base / "target"
    target.mkdir()
    (base / f"{folders.PREFIX}link").symlink_to(target)
    (base / f"{folders.PREFIX}file").touch()
    sweep(end_leftover)
    assert len(list(base.iterdir())) == 4
    assert list(target.iterdir()) == []


@AS_ROOT
def test_another_users_leftover_stays(base: Path):
    path = leftover(base)
    os.chown(path / "lock", 65534, 65534)
    sweep(end_leftover)
    assert path.is_dir()


@AS_ROOT
def test_a_leftover_of_the_servers_user_is_swept(base: Path):
    folder = make_folder(base)
    (folder.path / "data").mkdir()
    folder.give_to(65534, 65534)
    assert (folder.path / "data").stat().st_uid == 65534
    assert (folder.path / "lock").stat().st_uid == 0
    os.close(folder.lock)
    sweep(end_leftover)
    assert list(base.iterdir()) == []


@pytest.fixture
def innocent() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(("tail", "-f", "/dev/null")) as process:
        yield process
        process.kill()


def test_a_process_that_took_over_the_servers_number_lives_on(
    base: Path, innocent: "subprocess.Popen[bytes]"
):
    path = leftover(base)
    (path / "data").mkdir()
    (path / "data" / "postmaster.pid").write_text(f"{innocent.pid}\n{path}/data\n")
    sweep(end_leftover)
    assert innocent.poll() is None
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("text", ["", "rubbish\n", "4194305\n"], ids=["empty", "rubbish", "gone"])
def test_a_pid_file_that_names_no_process_does_no_harm(base: Path, text: str):
    path = leftover(base)
    (path / "data").mkdir()
    (path / "data" / "postmaster.pid").write_text(text)
    sweep(end_leftover)
    assert list(base.iterdir()) == []


def test_memory_comes_first_while_it_has_room(base: Path, monkeypatch: pytest.MonkeyPatch):
    assert list(folders.bases()) == [base]
    monkeypatch.setattr(folders, "_MEMORY_NEEDED", 2**62)
    assert list(folders.bases()) == []


def test_many_databases_need_more_memory(base: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folders, "_room", lambda _: 520 * 2**20)
    assert list(folders.bases(16)) == [base]
    assert list(folders.bases(400)) == []
    assert not folders.memory_is_short()
