"""Show what a run does while it runs, wherever somebody looks on."""

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from batchgate.activity import Item, going_on
from batchgate.folders import PrivateFolder, bases, make_folder
from batchgate.harness import Harness
from batchgate.invocation import only_looks
from batchgate.phases import phases_on
from batchgate.progress.screen import Screen
from batchgate.progress.sights import Post, forget
from batchgate.progress.watch import Watch

_LENT = "batchgate_progress"


def show_progress(config: pytest.Config, harness: Harness) -> None:
    """Let a run be shown where somebody looks on, and let its workers tell what they do."""
    shown: Announcer | None = None
    if not harness.active or only_looks(config):
        return
    if hasattr(config, "workerinput"):
        shown = Worker(config) if _LENT in config.workerinput else None
    elif harness.settings.progress != 0 and config.get_verbosity() >= 0:
        shown = Display(config, harness.settings.progress)
    if shown:
        config.pluginmanager.register(shown, "batchgate-progress")


class Announcer:
    """Says of each test of this process that it goes on."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Say which test goes on, its fixtures included."""
        with Item(item.nodeid):
            return (yield)


class Worker(Announcer):
    """One process of several: what it does is shown by the one that leads them."""

    def __init__(self, config: Any) -> None:
        post = Post(Path(config.workerinput[_LENT]), config.workerinput["workerid"])
        config.add_cleanup(post.close)


class Display(Announcer):
    """Shows what the processes of a run do, until its last test is over.

    `first` is after how many seconds a plain line is written, None where the terminal decides.
    """

    def __init__(self, config: pytest.Config, first: float | None) -> None:
        self._config = config
        self._first = first
        self._session: pytest.Session | None = None
        self._screen: Screen | None = None
        self._watch: Watch | None = None
        self._folder: PrivateFolder | None = None
        self._over = 0
        config.add_cleanup(self._leave)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Begin to look, where pytest has a terminal to write to."""
        if self._config.pluginmanager.hasplugin("terminalreporter"):
            self._session = session
            self._screen = Screen(self._config, self._counted, self._first)
            self._watch = Watch(going_on(), self._screen.show, phases_on)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to write what it does."""
        if self._watch is None:
            return
        # Where there is no place for it, the run goes on without.
        with suppress(OSError):
            self._folder = self._folder or make_folder(next(bases()))
            self._watch.folder = self._folder.path
            node.workerinput[_LENT] = str(self._folder.path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Forget what a worker did that has ended, however it has."""
        if self._folder:
            forget(self._folder.path, node.workerinput["workerid"])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, object, object]:
        """Let pytest tell of a test in one piece, and go on below it at once."""
        if self._screen is None or self._watch is None:
            return (yield)
        with self._screen.turn:
            result = yield
            self._screen.show(self._watch.again())
            return result

    def pytest_runtest_logfinish(self) -> None:
        """Count a test that is over."""
        self._over += 1

    def pytest_enter_pdb(self) -> None:
        """Leave the terminal to the debugger."""
        if self._screen:
            self._screen.pause(True)

    def pytest_leave_pdb(self) -> None:
        """Come back from the debugger."""
        if self._screen:
            self._screen.pause(False)

    def pytest_keyboard_interrupt(self) -> None:
        """Show no more: what is told now is the end."""
        self._close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Show no more: what is told now is the end."""
        self._close()

    def _counted(self) -> str:
        """Tell how many tests are over, of how many, once that is known."""
        tests = self._session.testscollected if self._session else 0
        return f"{min(self._over, tests)} of {tests} tests" if tests else ""

    def _close(self) -> None:
        if self._watch:
            self._watch.close()
            self._watch = None
        if self._screen:
            self._screen.close()
            self._screen = None

    def _leave(self) -> None:
        self._close()
        if self._folder:
            # A worker that outlives us may write still; then the next run sweeps it away.
            with suppress(OSError):
                self._folder.remove()
            self._folder = None
