"""Plain lines in a log: what has run for long, and again whenever that time has doubled."""

from collections.abc import Callable

import pytest

from batchgate.progress.sights import Sight
from batchgate.progress.state import Moment
from batchgate.progress.words import BETWEEN, Part, Rank, joined, parts_of
from batchgate.signs import spelled_out
from batchgate.verdict import time_text

_ROOM = 400  # characters


class LogLines:
    """Writes by pytest's reporter, and leaves it where it was.

    `counted` tells how many tests are over; `first` is after how many seconds of a test it is told.
    """

    def __init__(
        self,
        reporter: pytest.TerminalReporter,
        counted: Callable[[], str],
        scrub: Callable[[str], str],
        first: float,
    ) -> None:
        self._reporter = reporter
        self._counted = counted
        self._scrub = scrub
        self._first = first
        self._due: dict[tuple[str, float], float] = {}

    def show(self, moment: Moment) -> None:
        """Write a line for each test that has taken as long as it is due after."""
        known = {(sight.subject, sight.since) for sight in moment.sights}
        self._due = {name: due for name, due in self._due.items() if name in known}
        for sight in moment.longer_than(self._first):
            name, taken = (sight.subject, sight.since), moment.now - sight.since
            due = self._due.get(name, self._first)
            if taken >= due:
                self._write(self._told(sight, moment, taken))
                while due <= taken:
                    due *= 2
                self._due[name] = due

    def withdraw(self) -> None:
        """Leave what is written."""

    def _told(self, sight: Sight, moment: Moment, taken: float) -> str:
        """Tell what a process does by the whole name of its test, to be pasted back."""
        named = (Rank.SUBJECT, Rank.CHECK)
        parts = [part for part in parts_of(sight, moment) if part.rank not in named]
        parts += [Part(Rank.TESTS, text) for text in [self._counted()] if text]
        told = f"{time_text(taken)}{BETWEEN}{sight.subject}{joined(parts)}"
        line = spelled_out(self._scrub(told)).replace("\n", "\\n")
        return line if len(line) <= _ROOM else f"{line[: _ROOM - 1]}…"

    def _write(self, line: str) -> None:
        """Write a line of our own: dots go on below it, and a test that is named is named again."""
        reporter = self._reporter
        if isinstance(reporter.currentfspath, int | str):
            reporter.ensure_newline()
        elif reporter._tw.width_of_current_line:
            reporter.line("")
        reporter.line(f"batchgate: {line}")
        reporter.flush()
