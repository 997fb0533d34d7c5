"""In which words it is told what a run does."""

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum, auto
from operator import attrgetter
from pathlib import PurePosixPath
from typing import NamedTuple

from batchgate.progress.sights import Sight
from batchgate.progress.state import Moment
from batchgate.suite import Batch

BETWEEN = " · "
# A statement that is over sooner is gone before it is read.
_READABLE = 0.7  # seconds


class Rank(IntEnum):
    """What a part tells, what matters most first."""

    SUBJECT = auto()
    PHASE = auto()
    STATEMENT = auto()
    STAGE = auto()
    CHECK = auto()
    OTHERS = auto()
    TESTS = auto()
    FILE = auto()
    OPENING = auto()


class Part(NamedTuple):
    """A part of what is told, with what stands before it."""

    rank: Rank
    text: str
    before: str = BETWEEN


def parts_of(sight: Sight, moment: Moment) -> list[Part]:
    """Tell what a process does, part by part, in the order in which it is read."""
    subject, _, check = short(sight.subject).partition(BETWEEN)
    parts = [Part(Rank.SUBJECT, subject, ""), Part(Rank.CHECK, check)]
    parts += [Part(Rank.STAGE, stage) for stage in sight.stages]
    if not sight.stages or moment.now - sight.sent > _READABLE:
        parts += _of_statement(sight)
    parts.append(Part(Rank.PHASE, moment.phase(sight)))
    return [part for part in parts if part.text]


def fitting(parts: Sequence[Part], room: int, width_of: Callable[[str], int]) -> list[Part]:
    """Return what there is room for, in its order; what matters most is there in any case."""
    kept: list[Part] = []
    for part in sorted(parts, key=attrgetter("rank")):
        width = width_of(part.before + part.text)
        if not kept or width <= room:
            kept.append(part)
            room -= width
    return [part for part in parts if part in kept]


def joined(parts: Sequence[Part]) -> str:
    """Return parts as one text."""
    return "".join(part.before + part.text for part in parts)


def short(subject: str) -> str:
    """Return a node id without its folders; a batch's file by its batch, a gate's by its gate."""
    place, _, name = subject.partition("::")
    path = PurePosixPath(place)
    if path.suffix == ".sql":
        place = path.parent.name if path.name in Batch.FILES else path.stem
        return f"{place}{BETWEEN}{name}"
    return f"{path.name}::{name}" if name else subject


def elapsed(seconds: float) -> str:
    """Return a duration in whole seconds, in minutes, too, from the first on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _of_statement(sight: Sight) -> Iterator[Part]:
    """Name a statement, and its file as far as the test does not."""
    if not sight.of:
        yield Part(Rank.OPENING, sight.opening)
        return
    path = PurePosixPath(sight.file)
    beside = path.parent == PurePosixPath(sight.subject.partition("::")[0]).parent
    yield Part(Rank.FILE, path.name if beside else "/".join(path.parts[-2:]))
    yield Part(Rank.STATEMENT, f"statement {sight.number} of {sight.of}")
    yield Part(Rank.OPENING, sight.opening, ": ")
