"""The live line: below what pytest writes, and gone before it writes on.

rich measures, cuts and colours it. Its Live is not for this: that draws where the cursor is, and
the cursor has to stay where pytest goes on, in the middle of a line of dots.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.spinner import Spinner
from rich.text import Text

from batchgate.progress.sights import Sight
from batchgate.progress.state import Moment
from batchgate.progress.words import BETWEEN, Part, Rank, elapsed, fitting, joined, parts_of
from batchgate.signs import spelled_out

_LONG = 0.7  # seconds; what is over sooner is not worth a look
_USUAL = 80  # columns
_NARROW = 30  # columns; with fewer there is no line
_INDEX, _UP, _DOWN = "\x1bD", "\x1b[A", "\x1b[B"
_SAVE, _RESTORE = "\x1b7", "\x1b8"
# What is wider than a terminal was thought to be is cut there rather than wrapped.
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"
_ERASE = "\x1b[J"  # all that is right of the cursor and below
_PLAIN = str.maketrans({"·": "-", "…": "~"})


class LiveLine:
    """One line on a terminal, drawn and erased without moving the cursor.

    `column` tells where in its line pytest is, `counted` how many tests are over.
    """

    def __init__(
        self,
        terminal: TextIO,
        column: Callable[[], int],
        counted: Callable[[], str],
        scrub: Callable[[str], str],
        *,
        colour: bool,
    ) -> None:
        self._terminal = terminal
        self._column = column
        self._counted = counted
        self._scrub = scrub
        self._shown = False
        self._console = Console(
            file=terminal,
            force_terminal=True,
            color_system="standard" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        self._plain = self._console.options.ascii_only
        self._spinner = Spinner("line" if self._plain else "dots", style="cyan")

    def show(self, moment: Moment) -> None:
        """Draw what has taken longest, or nothing where nothing is long."""
        columns, column = self._columns(), self._column()
        long = moment.longer_than(_LONG)
        if not long or columns < _NARROW:
            self.withdraw()
        elif not column or column % columns:
            # The last column is left free: a sign there is where terminals differ.
            drawn = self._drawn(self._composed(moment, long, columns - 1), columns - 1)
            below = f"{_INDEX}{_UP}{_SAVE}{_DOWN}\r" if column else _SAVE
            self._put(f"{below}{_CUT}{drawn}{_ERASE}{_WRAP}{_RESTORE}")
            self._shown = True
        # Else pytest is between two lines, and no terminal says on which the cursor is.

    def withdraw(self) -> None:
        """Erase the line."""
        if self._shown:
            self._put(_ERASE)
            self._shown = False

    def _composed(self, moment: Moment, long: Sequence[Sight], room: int) -> Text:
        """Tell as much of what has taken longest as there is room for beside the time."""
        first, others = long[0], len(long) - 1
        spinner = self._spinner.render(moment.now)
        assert isinstance(spinner, Text), "a spinner without a text of its own is one"
        time = f"{BETWEEN}{elapsed(moment.now - first.since)}"
        parts = [part._replace(text=self._safe(part.text)) for part in parts_of(first, moment)]
        more = [
            Part(Rank.OTHERS, f"+{others} more" if others else ""),
            Part(Rank.TESTS, self._counted()),
        ]
        room -= cell_len(spinner.plain) + 1 + cell_len(time)
        kept = fitting([*parts, *(part for part in more if part.text)], room, cell_len)
        told = Text(joined([part for part in kept if part in parts]))
        told.truncate(max(room, 1), overflow="ellipsis")
        figures = joined([part for part in kept if part in more])
        return Text.assemble(spinner, " ", told, (f"{time}{figures}", "dim"))

    def _safe(self, text: str) -> str:
        return spelled_out(self._scrub(text)).replace("\n", "\\n")

    def _drawn(self, text: Text, width: int) -> str:
        self._console.width = width
        with self._console.capture() as caught:
            self._console.print(text, end="", no_wrap=True, overflow="ellipsis")
        return caught.get().translate(_PLAIN) if self._plain else caught.get()

    def _columns(self) -> int:
        """Return the terminal's width as it is now; one that does not say is taken for usual."""
        try:
            return os.get_terminal_size(self._terminal.fileno()).columns or _USUAL
        except OSError:
            return _USUAL

    def _put(self, text: str) -> None:
        # Where the terminal has gone, pytest hears of it by what it writes itself.
        with suppress(OSError):
            self._terminal.write(text)
            self._terminal.flush()
