"""A live line on a terminal: what a command does now, below what it has printed."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Self, TextIO

import click

from batchgate.activity import going_on
from batchgate.progress.turns import is_looked_at

if TYPE_CHECKING:
    from batchgate.operate.onlooker import Onlooker
    from batchgate.progress.line import LiveLine
    from batchgate.progress.state import Moment
    from batchgate.progress.watch import Ask, Watch
    from batchgate.targets.address import Target

_TO_THE_LEFT = "\r"


class Live:
    """Shows what goes on, from the beginning of its `with` to the end, where somebody looks on.

    What goes on is what says so itself (`batchgate.activity`): an `Item` for what is worked on,
    such as a gate's or a batch's file, in it a `Stage` or a `Running` statement. Where that gives
    its connection, `target` is asked in a session of our own how far it is. Nothing is shown before
    something has taken 0.7 s. ::

        with Live(shown=not as_json, target=target) as live, Item("sql/03_x/migration.sql"):
            live.print("stage 1 of 4")     # the line gives way, and is drawn again below
            with live.aside():             # for a question
                click.confirm("go on?")

    Whatever is printed meanwhile goes by `print`. On a stream that is no terminal, in a CI job, and
    where `shown` is false, nothing is drawn, and `print` just prints. `counted` tells how much is
    done, such as "3 of 11 gates"; `scrub` takes passwords out of what is drawn.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        shown: bool = True,
        target: "Target | None" = None,
        counted: Callable[[], str] = str,
        scrub: Callable[[str], str] = str,
    ) -> None:
        self._stream = stream or sys.stderr
        self._shown = shown and is_looked_at(self._stream)
        self._target = target
        self._onlooker: Onlooker | None = None
        self._counted = counted
        self._scrub = scrub
        self._turn = RLock()
        self._paused = False
        self._line: LiveLine | None = None
        self._watch: Watch | None = None

    def __enter__(self) -> Self:
        if self._shown:
            # All this is of no use to a log, and takes a moment to be loaded.
            from batchgate.progress.line import LiveLine
            from batchgate.progress.watch import Watch

            colour = not os.environ.get("NO_COLOR")
            self._line = LiveLine(
                self._stream, lambda: 0, self._counted, self._scrub, colour=colour
            )
            self._watch = Watch(going_on(), self._show, self._ask())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._turn:
            self._paused = True
            if self._line and kind is KeyboardInterrupt:
                # The terminal has written ^C over the line.
                with suppress(OSError):
                    self._stream.write(_TO_THE_LEFT)
            self._withdraw()
        if self._watch:
            self._watch.close()
        if self._onlooker:
            self._onlooker.close()

    def print(self, text: str = "", *, err: bool = False) -> None:
        """Print a line, or several, on standard output, or on standard error."""
        with self._turn:
            self._withdraw()
            click.echo(text, err=err)
            if self._watch:
                self._show(self._watch.again())

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the terminal to somebody else."""
        with self._turn:
            before, self._paused = self._paused, True
            self._withdraw()
        try:
            yield
        finally:
            self._paused = before

    def _ask(self) -> "Ask":
        """Return who knows how far statements are: a second session, where there is a target."""
        if self._target is None:
            return lambda host, port: {}
        from batchgate.operate.onlooker import Onlooker

        self._onlooker = Onlooker(self._target)
        return self._onlooker.ask

    def _show(self, moment: "Moment") -> None:
        with self._turn:
            if self._line and not self._paused:
                self._line.show(moment)

    def _withdraw(self) -> None:
        if self._line:
            self._line.withdraw()
