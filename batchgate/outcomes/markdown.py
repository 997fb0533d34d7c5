"""Text as GitHub-flavoured Markdown that stays text, and lists that keep within a size."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchgate.outcomes.words import visible, well_formed

_PROSE = 300
_CODE = 160
# Nothing breaks a mention, a reference or an address but a character in between, which is unseen.
_BREAK = "&#8203;"
_SPECIAL = re.compile(r"@|#|://|www\.|\bgh-|\$|[\\`*_\[\]<>|~&]", re.IGNORECASE)


def prose(text: str, limit: int = _PROSE) -> str:
    """Return a text on one line, with nothing in it that Markdown or GitHub would act on."""
    return _SPECIAL.sub(_harmless, _line(text, limit))


def code(text: str) -> str:
    """Return a name as code; as prose where it has a character that ends code or a cell."""
    line = _line(text, _CODE)
    if not line or any(char in line for char in "`|\\"):
        return prose(line)
    return f"`{line}`"


def table(headings: Sequence[str], numeric: Sequence[str] = ()) -> list[str]:
    """Return the first two lines of a table; its rows are `row()`."""
    marks = ("--:" if heading in numeric else ":--" for heading in headings)
    return [row(headings), f"| {' | '.join(marks)} |"]


def row(cells: Sequence[str]) -> str:
    """Return one row of a table; its cells are prose or code already."""
    return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Section:
    """Lines that must stand, and lines after them of which as many stand as there is room for."""

    head: Sequence[str]
    lines: Sequence[str] = ()


def fitted(sections: Sequence[Section], limit: int) -> str:
    """Join sections within `limit` bytes of UTF-8; where lines are left out it says how many."""
    owed = sum(_size(line) for section in sections for line in (*section.head, _more(section)))
    room = limit - owed
    text: list[str] = []
    for section in sections:
        text += section.head
        kept = _kept(section.lines, room)
        room -= sum(map(_size, section.lines[:kept]))
        text += section.lines[:kept]
        text += _rest(len(section.lines) - kept)
        text.append("")
    return "\n".join(text).rstrip("\n") + "\n"


def _kept(lines: Sequence[str], room: int) -> int:
    for at, line in enumerate(lines):
        room -= _size(line)
        if room < 0:
            return at
    return len(lines)


def _rest(left: int) -> Iterator[str]:
    if left:
        yield from ("", f"… and {left} more; report.json has them all.")


def _more(section: Section) -> str:
    """Return what stands in the reckoning for the line that says how many are left out."""
    return "\n".join(("", *_rest(len(section.lines)), ""))


def _size(line: str) -> int:
    return len(line.encode()) + 1


def _line(text: str, limit: int) -> str:
    line = visible(well_formed(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _harmless(match: re.Match[str]) -> str:
    found = match[0]
    if found == "$":
        # A backslash does not keep GitHub from reading mathematics between two of them.
        return "<span>$</span>"
    if found in "@#":
        return f"{found}{_BREAK}"
    if len(found) > 1:
        at = 1 if found == "://" else len(found) - 1
        return f"{found[:at]}{_BREAK}{found[at:]}"
    return f"\\{found}"
