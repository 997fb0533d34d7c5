"""Programs on a terminal that is emulated, to see what stands on its screen.

pyte is imported when a test asks for it: the README's first command collects all tests, and does
not install it.
"""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from waits import until

# What would tell a program of a terminal other than its own, or let it write as no user's does.
_MISLEADING = (
    *("CI", "BUILD_NUMBER", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PY_COLORS"),
    "PYTHONUNBUFFERED",
)
_HISTORY = 2000
_PATIENCE = 0.2  # seconds between two looks where nothing is written


def usual_variables() -> dict[str, str]:
    """Return the environment's variables without those that a user's terminal does not set."""
    return {name: value for name, value in os.environ.items() if name not in _MISLEADING}


class Screen:
    """An emulated terminal, from its first line to its last."""

    def __init__(self, columns: int, lines: int) -> None:
        import pyte

        self._screen = pyte.HistoryScreen(columns, lines, history=_HISTORY)
        self._stream = pyte.ByteStream(self._screen)

    def take(self, written: bytes) -> None:
        """Take what a program writes."""
        self._stream.feed(written)

    def resize(self, columns: int, lines: int) -> None:
        """Become another size."""
        self._screen.resize(lines, columns)

    @property
    def cells(self) -> list[list[Any]]:
        """Return all rows that are not empty at the end, each sign with its colours."""
        screen = self._screen
        columns = range(screen.columns)
        rows = [[row[x] for x in columns] for row in screen.history.top]
        rows += [[screen.buffer[y][x] for x in columns] for y in range(screen.lines)]
        while rows and not _text(rows[-1]):
            rows.pop()
        return rows

    @property
    def text(self) -> list[str]:
        """Return the same as plain text."""
        return [_text(row) for row in self.cells]

    @property
    def visible(self) -> list[str]:
        """Return what can be seen without scrolling."""
        return [line.rstrip() for line in self._screen.display]


class Tty:
    """A program that runs on a terminal of its own."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        columns: int = 80,
        lines: int = 24,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = Screen(columns, lines)
        self.written = b""
        self._ours, theirs = os.openpty()
        self._size(columns, lines)
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**usual_variables(), "TERM": "xterm-256color", **(variables or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)

    def until_shown(self, text: str) -> None:
        """Wait until a text stands on the screen."""
        try:
            until(lambda: self._is_shown(text), f"{text!r} on the screen")
        except TimeoutError as error:
            error.add_note("\n".join(self.screen.text))
            raise

    def until_gone(self, text: str) -> None:
        """Wait until a text does not stand on the screen any more."""
        until(lambda: not self._is_shown(text), f"no {text!r} on the screen")

    def ended(self) -> int:
        """Wait for the end and return the exit code."""
        until(lambda: not self._goes_on(), "the program's end")
        return self._process.wait()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def send(self, kind: signal.Signals) -> None:
        """Send the program a signal that no key sends."""
        self._process.send_signal(kind)

    def resize(self, columns: int, lines: int) -> None:
        """Change the terminal's size, as by pulling at its window."""
        self._size(columns, lines)
        self.screen.resize(columns, lines)
        os.killpg(self._process.pid, signal.SIGWINCH)

    def close(self) -> None:
        """End the program, however far it is."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._ours)

    def _is_shown(self, text: str) -> bool:
        if not self._goes_on():
            raise AssertionError(f"the program has ended: {self.screen.text}")
        return any(text in line for line in self.screen.visible)

    def _goes_on(self) -> bool:
        """Take what is written next; tell whether there may be more."""
        if not select.select([self._ours], [], [], _PATIENCE)[0]:
            return True
        try:
            written = os.read(self._ours, 65536)
        except OSError:
            return False
        self.written += written
        self.screen.take(written)
        return bool(written)

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


@contextmanager
def on_a_terminal(command: Sequence[str], folder: Path, **given: Any) -> Iterator[Tty]:
    """Run a program on a terminal of its own; it does not outlive the test."""
    tty = Tty(command, folder, **given)
    try:
        yield tty
    finally:
        tty.close()


def _take_terminal() -> None:
    """Make the terminal that of the new session, so that signals are heard, also by the deaf."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _text(row: Sequence[Any]) -> str:
    return "".join(cell.data for cell in row).rstrip()
