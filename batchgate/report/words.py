"""How the page says things: tones, numbers, times, and text that shows what it hides."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from batchgate.signs import spelled_out

T = TypeVar("T")
_LEAST = 10
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


class Tone(StrEnum):
    """How a thing is to be taken; only `GOOD` is drawn green, and `LOST` gave no result."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    IDLE = "idle"
    LOST = "lost"


class Said(NamedTuple):
    """How something ended, in a word or two."""

    word: str
    tone: Tone


def visible(value: object) -> object:
    """Return text with its control, bidi and unpaired characters written out.

    A lone surrogate would keep the page from being written at all: it has no UTF-8.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return spelled_out(value)


def grouped(number: int) -> str:
    """Return a number with its thousands set apart."""
    return _NARROW_SPACE.join(f"{number:,}".split(","))


def sentence_of(headline: str, subject: str = "") -> str:
    """Return a message's first line as a sentence, without the subject named beside it."""
    text = headline.removeprefix(f"{subject}: ").strip() if subject else headline.strip()
    end = "." if text and text[-1] not in ".:!?…" else ""
    return text[:1].upper() + text[1:] + end


def listed(parts: dict[str, int]) -> str:
    """Return the counts that are not zero, each with its word."""
    return ", ".join(f"{grouped(count)} {word}" for word, count in parts.items() if count)


def first_few(items: Sequence[T], limit: int, known: int = 0) -> tuple[tuple[T, ...], str]:
    """Return at most `limit` of some items, and how many more there are in words, or nothing.

    `known` is how many had been left out before.
    """
    more = max(len(items) - limit, 0) + known
    return tuple(items[:limit]), f"{grouped(more)} more not shown" if more else ""


def fair_share(limit: int, total: int, parts: int) -> int:
    """Return how much of a total one of so many parts may take: some at least, `limit` at most."""
    return max(min(limit, total // max(parts, 1)), min(limit, _LEAST))


def within(at: str, batch: str) -> str:
    """Return a line of a batch's file without the batch's folder, which is named beside it."""
    return at.rpartition(f"/{batch}/")[2]


def moment(text: str) -> str:
    """Return an ISO 8601 time for reading, in UTC; what is none stays as it is."""
    try:
        given = datetime.fromisoformat(text)
        return f"{given.astimezone(UTC):%d %b %Y, %H:%M} UTC" if given.tzinfo else text
    except (ValueError, OverflowError):
        return text
