"""pytest's terminal, and how the progress of a run is shown there."""

from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Protocol

import pytest

from batchgate.outputs import scrubber_of
from batchgate.progress.log import LogLines
from batchgate.progress.state import Moment
from batchgate.progress.turns import SharedStream, is_looked_at, way_around

_FIRST_LINE = 10.0  # seconds


class Shown(Protocol):
    """A way to show what goes on."""

    def show(self, moment: Moment) -> None:
        """Show a moment of a run."""

    def withdraw(self) -> None:
        """Give way to what pytest writes."""


class Screen:
    """Shows moments between pytest's writes, until it is closed.

    `counted` tells how many tests are over; `first` is after how many seconds a line is written,
    None where a live line is drawn if there is a terminal for it.
    """

    def __init__(
        self, config: pytest.Config, counted: Callable[[], str], first: float | None
    ) -> None:
        self._reporter = config.pluginmanager.getplugin("terminalreporter")
        self._writer = self._reporter._tw
        self._before = self._writer._file
        self._own = way_around(self._before)
        scrub = scrubber_of(config)
        self._shown: Shown
        if first is None and is_looked_at(self._own) and self._is_calm(config):
            # rich is of no use to a log, and takes a moment to be loaded.
            from batchgate.progress.line import LiveLine

            colour = self._writer.hasmarkup
            self._shown = LiveLine(self._own, self._column, counted, scrub, colour=colour)
        else:
            self._shown = LogLines(self._reporter, counted, scrub, first or _FIRST_LINE)
        self._stream = SharedStream(self._before, self._shown.withdraw)
        self._writer._file = self._stream
        self._paused = False

    @property
    def turn(self) -> RLock:
        """Return what is held by whoever writes."""
        return self._stream.turn

    def show(self, moment: Moment) -> None:
        """Show a moment, unless somebody else uses the terminal."""
        # Where the terminal has gone, or nobody reads the log, pytest hears of it by itself.
        with suppress(OSError), self._stream.lent_to(self._own):
            if not self._paused:
                self._shown.show(moment)

    def pause(self, paused: bool) -> None:
        """Leave the terminal to somebody else, or come back to it."""
        with self._stream.turn:
            self._paused = paused
            self._shown.withdraw()

    def close(self) -> None:
        """Leave the terminal to pytest."""
        self.pause(True)
        if self._writer._file is self._stream:
            self._writer._file = self._before
        if self._own is not self._before:
            with suppress(OSError):
                self._own.close()

    def _column(self) -> int:
        return int(self._writer.width_of_current_line)

    def _is_calm(self, config: pytest.Config) -> bool:
        """Tell a terminal where nobody but pytest writes."""
        plain = type(self._reporter) is pytest.TerminalReporter
        return plain and config.getoption("capture", "no") in ("fd", "sys")
