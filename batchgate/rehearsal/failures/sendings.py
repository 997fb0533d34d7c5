"""What a file sends to the server, text by text, and who may stand in between."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from batchgate.script import Script, ScriptRun, Step, steps
from batchgate.sqltext import words

Go = Callable[[str], None]


@dataclass(frozen=True)
class Sending:
    """One text on its way to the server.

    A statement is sent once, and then each text that its query made for ``\\gexec``: `made`
    tells which of those this is, 0 for the statement itself.
    """

    index: int
    number: int
    of: int
    at: str
    made: int
    text: str
    copies: bool

    @property
    def shown(self) -> str:
        """Name the statement as messages do."""
        text = f" (text {self.made} that it makes)" if self.made else ""
        return f"statement {self.number} of {self.of}{text}"

    @property
    def verb(self) -> str:
        """Return the word that the text begins with."""
        return next(iter(words(self.text)), "")

    @property
    def commits(self) -> bool:
        """Tell the end of a transaction that keeps what it did."""
        return self.verb in ("commit", "end") and "prepared" not in words(self.text)[:2]

    @property
    def gives_up(self) -> bool:
        """Tell the end of a transaction that undoes what it did."""
        return self.verb in ("rollback", "abort") and not {"to", "prepared"} & set(
            words(self.text)[:4]
        )


# Sends the text, by way of `Go` and as often as it likes, or another in its place.
Meddle = Callable[[Sending, Go], None]


def send_file(
    session: psycopg.Connection, script: Script, meddle: Meddle, *, stop: bool = True
) -> ScriptRun:
    """Run a file with someone between it and the server.

    Without `stop` it goes on after an error, as psql does unless ON_ERROR_STOP is set.
    """
    tap = _Tap(meddle)
    session.cursor_factory = _tapped(tap)
    # What is prepared for a meddler would not outlive the file's DISCARD ALL.
    session.prepare_threshold = None
    running = steps(session, script, {"ON_ERROR_STOP": "1" if stop else "0"})
    while True:
        try:
            step = next(running)
        except StopIteration as end:
            run: ScriptRun = end.value
            return run
        if not step.ran:
            tap.enter(step)


def aside(session: psycopg.Connection) -> psycopg.Cursor[Any]:
    """Return a cursor for what a meddler itself sends over the file's own session."""
    return psycopg.Cursor(session)


class _Tap:
    """Counts what is sent, and hands it to who meddles."""

    def __init__(self, meddle: Meddle) -> None:
        self._meddle = meddle
        self._sent = self._made = 0
        self._step: Step | None = None

    def enter(self, step: Step) -> None:
        self._step, self._made = step, 0

    def take(self, query: Any, go: Go, *, copies: bool) -> None:
        step = self._step
        assert step is not None, "nothing is sent outside of a statement"
        text = query.decode() if isinstance(query, bytes) else str(query)
        sending = Sending(self._sent, step.number, step.of, step.at, self._made, text, copies)
        self._sent += 1
        self._made += 1
        self._meddle(sending, go)


def _tapped(tap: _Tap) -> type[psycopg.Cursor[Any]]:
    class Tapped(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> "Tapped":
            def go(text: str) -> None:
                super(Tapped, self).execute(text.encode(), params, **options)

            tap.take(query, go, copies=False)
            return self

        @contextmanager
        def copy(
            self, statement: Any, params: Any = None, **options: Any
        ) -> Iterator[psycopg.Copy]:
            with ExitStack() as stack:
                opened: list[psycopg.Copy] = []

                def go(text: str) -> None:
                    copying = super(Tapped, self).copy(text.encode(), params, **options)
                    opened.append(stack.enter_context(copying))

                tap.take(statement, go, copies=True)
                yield opened[0]

    return Tapped
