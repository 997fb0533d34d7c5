"""Two who write to one terminal: pytest, and between its writes the progress of the run."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, TextIO


class SharedStream:
    """The stream of pytest's terminal writer: who else is on the screen gives way to each write.

    `turn` is held by whoever writes; `give_way` is called within it.
    """

    def __init__(self, stream: TextIO, give_way: Callable[[], None]) -> None:
        self._stream = stream
        self._give_way = give_way
        self.turn = RLock()

    def write(self, text: str) -> int:
        """Write a text of pytest's."""
        with self.turn:
            self._give_way()
            return self._stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts of pytest's."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Show what was written so far, on a screen that shows nothing else."""
        with self.turn:
            self._give_way()
            self._stream.flush()

    @contextmanager
    def lent_to(self, stream: TextIO) -> Iterator[None]:
        """Let what is written meanwhile go another way to the same place."""
        with self.turn:
            if _lead_to_one_place(self._stream, stream):
                # What waits to be written was said before.
                self._stream.flush()
            before, self._stream = self._stream, stream
            try:
                yield
            finally:
                self._stream = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _lead_to_one_place(one: TextIO, other: TextIO) -> bool:
    """Tell whether nothing has been put in the way of either, as pytest does for a test."""
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def way_around(stream: TextIO) -> TextIO:
    """Open another way to where a stream leads now.

    While a test runs, pytest captures what is written to the process's own output. A stream that
    leads to memory is its own way around.
    """
    try:
        descriptor = os.dup(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return stream
    return os.fdopen(descriptor, "w", encoding=stream.encoding, errors="replace")


def is_looked_at(stream: TextIO) -> bool:
    """Tell a terminal that somebody looks at, where a line can be taken back."""
    collected = os.environ.get("CI") or os.environ.get("BUILD_NUMBER")
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return stream.isatty() and not dumb and not collected
