"""How the page says things: tones, numbers, times, and text that shows what it hides."""

import re
from enum import StrEnum

from markupsafe import Markup

from batchgate.signs import spelled_out

_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


class Tone(StrEnum):
    """How a thing is to be taken; only `GOOD` is drawn green."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    IDLE = "idle"


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
    return ", ".join(f"{count} {word}" for word, count in parts.items() if count)


def number_in(name: str) -> int:
    """Return the number a batch's folder is named with."""
    digits = re.match(r"\d+", name)
    return int(digits[0]) if digits else 0
