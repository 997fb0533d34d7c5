"""What this process is doing now: its test, the stages of it, the statement under way.

Who does something says so by `with`, at the cost of an entry in a list; whoever shows the progress
of a run looks at the list from a thread of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import get_ident
from time import monotonic
from typing import Protocol, Self, TypeVar

T = TypeVar("T")


class Doing:
    """Something that goes on from the beginning of its `with` to the end, and its first words."""

    __slots__ = ("since", "thread", "words")

    def __init__(self, words: str) -> None:
        self.words = words
        self.since = 0.0
        self.thread = 0

    def __enter__(self) -> Self:
        self.since = monotonic()
        self.thread = get_ident()
        _BOARD.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):
            _BOARD.remove(self)


class Item(Doing):
    """A test, by its node id; whatever went on in it is over when it is.

    Several may go on, each in a thread of its own: what another of those threads does is its own.
    """

    __slots__ = ()

    def __exit__(self, *_: object) -> None:
        going_on = tuple(_BOARD)
        later = going_on[going_on.index(self) + 1 :]
        others = {each.thread for each in going_on if isinstance(each, Item)} - {self.thread}
        # A loop that an error ended stays open for as long as someone keeps the traceback.
        for each in (self, *(each for each in later if each.thread not in others)):
            with suppress(ValueError):
                _BOARD.remove(each)


class Stage(Doing):
    """A part of a test, or of what comes before the first."""

    __slots__ = ()


class Informed(Protocol):
    """What a connection tells of itself, as psycopg's ConnectionInfo does."""

    @property
    def backend_pid(self) -> int:
        """Return the number of the server's process."""

    @property
    def host(self) -> str:
        """Return the server's host, or the folder of its socket."""

    @property
    def port(self) -> int:
        """Return the server's port."""


class Running(Doing):
    """A statement on its way: its file, the how-manieth of how many, and its text.

    `on` is the connection of a server that may be asked how far it is.
    """

    __slots__ = ("host", "number", "of", "pid", "port", "text")

    def __init__(
        self, file: str, text: str, number: int = 0, of: int = 0, on: Informed | None = None
    ) -> None:
        super().__init__(file)
        self.text, self.number, self.of = text, number, of
        self.pid, self.host, self.port = (on.backend_pid, on.host, on.port) if on else (0, "", 0)


# The one list of a process; entries are added and removed whole, by any of its threads.
_BOARD: list[Doing] = []


def going_on() -> tuple[Doing, ...]:
    """Return all that goes on in this process, what began first at first."""
    return tuple(_BOARD)


def one_by_one(noun: str, things: Sequence[T]) -> Iterator[T]:
    """Yield things one by one, saying of each the how-manieth of how many it is."""
    for number, thing in enumerate(things, 1):
        with Stage(f"{noun} {number} of {len(things)}"):
            yield thing
