"""SQL and plans to read: coloured while there is room on the page, then plain, then left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Number, String

from batchgate.signs import spelled_out

# Characters of HTML, over the whole page.
_COLOURED = 500_000
_PLAIN = 250_000
# Quotes of PostgreSQL's that are never closed take a lexer of regular expressions long.
_DOLLARS = 400
# A quoted name is a string to Pygments.
_CLASSES = ((Comment, "c"), (Number, "m"), (String.Name, ""), (String, "s"), (Keyword, "k"))
_LINE_ENDS = re.compile(r"\r\n")


@dataclass(frozen=True)
class Source:
    """A text with its lines numbered; without text where the page had no more room."""

    name: str
    text: Markup
    numbers: str
    note: str = ""

    @property
    def left_out(self) -> bool:
        """Return whether the page had no room for it."""
        return not self.text


class Ink:
    """What is left to colour with; whoever asks first has most of it."""

    def __init__(self, coloured: int = _COLOURED, plain: int = _PLAIN) -> None:
        self._coloured = coloured
        self._plain = plain

    def sql(self, name: str, text: str) -> Source:
        """Return a statement or a file of them."""
        return self._drawn(name, text, "postgresql")

    def plan(self, name: str, text: str) -> Source:
        """Return what the planner said."""
        return self._drawn(name, text, "postgres-explain")

    def _drawn(self, name: str, text: str, lexer: str) -> Source:
        shown = spelled_out(_LINE_ENDS.sub("\n", text).expandtabs(4)).rstrip("\n")
        drawn = _coloured(shown, lexer) if self._coloured > 0 else escape(shown)
        room = self._coloured if self._coloured > 0 else self._plain
        if self._coloured > 0:
            self._coloured -= len(drawn)
        elif room > len(drawn):
            self._plain -= len(drawn)
        else:
            return Source(name, Markup(""), "", "Not shown here: it is in report.json.")
        numbers = "\n".join(map(str, range(1, shown.count("\n") + 2)))
        return Source(name, drawn, numbers)


def _coloured(text: str, lexer: str) -> Markup:
    """Return a text with those pieces that have a colour in a tag; nothing of it is ever lost."""
    pieces = list(_pieces(text, lexer))
    if "".join(piece for _, piece in pieces) != text:
        pieces = [("", text)]
    return Markup("".join(_tagged(name, escape(piece)) for name, piece in pieces))


def _tagged(name: str, shown: Markup) -> str:
    # There are very many: Markup's own formatting takes several times as long.
    return f'<i class="{name}">{shown}</i>' if name else shown


def _pieces(text: str, lexer: str) -> Iterator[tuple[str, str]]:
    """Yield neighbours of one colour as one."""
    if text.count("$") > _DOLLARS:
        yield "", text
        return
    colour, piece = "", ""
    for _, token, value in _made(lexer).get_tokens_unprocessed(text):
        name = _class_of(token) if value.strip() else colour
        if name != colour:
            if piece:
                yield colour, piece
            colour, piece = name, ""
        piece += value
    if piece:
        yield colour, piece


@cache
def _made(lexer: str) -> Any:
    return get_lexer_by_name(lexer)


@cache
def _class_of(token: Any) -> str:
    return next((name for kind, name in _CLASSES if token in kind), "")
