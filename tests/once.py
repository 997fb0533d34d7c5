"""What is dear is made once a run: by the worker that asks first, for all of them."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest


class Once:
    """Makes things by name in a folder that all workers of a run share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, make: Callable[[Path], Path]) -> Path:
        """Return where a thing is; it is made in a folder of its own unless it has been.

        Whoever asks meanwhile waits. What could not be made is tried again by the next who asks.
        """
        own = self._folder / name
        own.mkdir(parents=True, exist_ok=True)
        with (own / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = own / "made"
            if not made.exists():
                made.write_text(str(make(Path(mkdtemp(dir=own), "shop"))), encoding="utf-8")
            return Path(made.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a thing in a folder of its own, once a run."""
    folder = tmp_path_factory.getbasetemp()
    # Each worker has a folder of its own in that of the run.
    return Once((folder.parent if hasattr(request.config, "workerinput") else folder) / "once")
