"""Texts cut to what fits: on one line, with nothing unseen in them and no password."""

from itertools import takewhile

from batchgate.scrub import without_sql_passwords
from batchgate.signs import spelled_out

WIDTH = 160


def one_line(text: str) -> str:
    """Write a text on one line; a password goes before the text is cut, not its half after."""
    return spelled_out(without_sql_passwords(" ".join(text.split())))


def excerpt(text: str) -> str:
    """Write on one line what fits of a text."""
    return _cut(one_line(text))


def excerpts(before: str, after: str) -> tuple[str, str]:
    """Cut two lines, where either is long, to where they begin to differ."""
    if max(len(before), len(after)) <= WIDTH:
        return before, after
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    start = max(0, sum(1 for _ in pairs) - WIDTH // 4)
    return _cut(before, start), _cut(after, start)


def _cut(line: str, start: int = 0) -> str:
    """Return what fits of a line from a place on."""
    head = "…" if start else ""
    room = WIDTH - len(head)
    rest = line[start:]
    return head + (rest if len(rest) <= room else rest[: room - 1] + "…")
