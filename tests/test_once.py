"""What is made once a run is made by one worker and found by the others."""

import fcntl
import os
from pathlib import Path

import pytest
from once import Once

MADE = """\
from once import once

def test_asks(once, worker_id):
    def make(folder):
        with open("makers", "a") as file:
            print(worker_id, file=file)
        return folder
    assert once("thing", make).name == "shop"
    with open("askers", "a") as file:
        print(worker_id, file=file)
"""


def make(folder):
    folder.mkdir()
    return folder


def never(folder):
    raise RuntimeError("made twice")


def test_what_has_been_made_is_not_made_again(tmp_path):
    made = Once(tmp_path)("a page", make)
    assert made.is_dir()
    assert Once(tmp_path)("a page", never) == made
    assert Once(tmp_path)("another page", make) != made


def test_who_asks_while_it_is_made_waits(tmp_path):
    def look(folder):
        with (tmp_path / "a page" / "lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return make(folder)

    Once(tmp_path)("a page", look)
    with (tmp_path / "a page" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_could_not_be_made_is_tried_again_in_an_empty_folder(tmp_path):
    def fail(folder):
        make(folder)
        raise RuntimeError("half of it")

    once = Once(tmp_path)
    with pytest.raises(RuntimeError, match="half of it"):
        once("a page", fail)
    assert once("a page", make).is_dir()


def test_two_workers_share_what_one_of_them_made(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    pytester.makepyfile(test_asks=MADE)
    ended = pytester.runpytest_subprocess("-p", "no:batchgate", "-n2", "--dist=each")
    ended.assert_outcomes(passed=2)
    assert len((pytester.path / "makers").read_text().splitlines()) == 1
    askers = set((pytester.path / "askers").read_text().splitlines())
    assert askers == {"gw0", "gw1"}
