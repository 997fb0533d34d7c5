import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgate.privileges import Account, find_account, run, without_pg

NOBODY = pwd.getpwnam("nobody")
NAMESPACE = Account("namespace", "nobody", NOBODY.pw_uid, NOBODY.pw_gid)
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes user")
ID = shutil.which("id") or "id"


def test_the_server_never_runs_as_root():
    account = find_account()
    said = run(account, Path("/"), ID, "-u")
    assert said.stdout.strip() == str(account.uid)
    assert account.uid != 0


@pytest.fixture
def another_group() -> Iterator[int]:
    before = os.getgroups()
    os.setgroups([12345])
    yield 12345
    os.setgroups(before)


@AS_ROOT
def test_root_becomes_a_user_without_any_of_its_groups(another_group: int):
    account = find_account()
    assert account.how == "user"
    assert account.owner == (account.uid, account.gid)
    assert another_group in os.getgroups()
    assert run(account, Path("/"), ID, "-G").stdout.split() == [str(account.gid)]


def test_a_namespace_shows_us_as_nobody_and_leaves_files_ours(tmp_path: Path):
    if run(NAMESPACE, Path("/")).returncode != 0:
        pytest.skip("user namespaces are not permitted here")
    assert run(NAMESPACE, tmp_path, ID, "-u").stdout.strip() == str(NOBODY.pw_uid)
    run(NAMESPACE, tmp_path, shutil.which("touch") or "touch", "file")
    owner = (tmp_path / "file").stat()
    assert (owner.st_uid, owner.st_gid) == NAMESPACE.owner == (os.geteuid(), os.getegid())


def test_a_program_that_is_not_there_is_told_in_one_line():
    account = find_account()
    said = run(account, Path("/"), "/no/such/program")
    assert said.returncode != 0
    assert said.stdout.strip() == "running /no/such/program: No such file or directory"


def test_a_folder_that_may_not_be_entered_is_told_in_one_line():
    said = run(find_account(), Path("/no/such/folder"))
    assert said.stdout.strip() == "entering /no/such/folder: No such file or directory"


def test_nothing_of_postgresqls_environment_gets_through(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGOPTIONS", "--rubbish")
    said = run(find_account(), Path("/"), shutil.which("env") or "env")
    assert [line for line in said.stdout.splitlines() if line.startswith("PG")] == []
    assert without_pg({"PGHOST": "a", "HOME": "b"}) == {"HOME": "b"}


@AS_ROOT
def test_where_no_other_user_can_be_had_the_error_says_what_was_tried():
    setpriv = shutil.which("setpriv")
    if not setpriv:
        pytest.skip("setpriv is not installed")
    script = "from batchgate.privileges import find_account; find_account()"
    said = subprocess.run(
        (setpriv, "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-c", script),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert "expected a user that PostgreSQL may run as, found none" in said.stderr
    assert "nobody, by user: becoming user" in said.stderr
    assert "nobody, by namespace: becoming user" in said.stderr
