"""SQL and plans to read: coloured while there is room on the page, then plain, then left out."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup, escape
from sqlparse import keywords
from sqlparse import tokens as kinds

from batchgate.signs import spelled_out
from batchgate.sqltokens import tokens

# Characters of HTML, over the whole page.
_COLOURED = 500_000
_PLAIN = 250_000
# Quotes of PostgreSQL's that are never closed take a lexer of regular expressions long.
_DOLLARS = 400
# A quoted name is a string to the lexer.
_CLASSES = (
    (kinds.Comment, "c"),
    (kinds.Number, "m"),
    (kinds.String.Symbol, ""),
    (kinds.String, "s"),
    (kinds.Keyword, "k"),
)
_KEYWORDS = frozenset(
    word
    for each in (keywords.KEYWORDS_COMMON, keywords.KEYWORDS, keywords.KEYWORDS_PLPGSQL)
    for word, kind in each.items()
    if kind in kinds.Keyword
)
_LINE_ENDS = re.compile(r"\r\n")
# Reads a text piece by piece, each with the class of its colour.
Pieces = Callable[[str], Iterable[tuple[str, str]]]


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
        return self._drawn(name, text, _of_sql)

    def plan(self, name: str, text: str) -> Source:
        """Return what the planner said."""
        return self._drawn(name, text, _of_plan)

    def _drawn(self, name: str, text: str, pieces: Pieces) -> Source:
        shown = spelled_out(_LINE_ENDS.sub("\n", text).expandtabs(4)).rstrip("\n")
        drawn = _coloured(shown, pieces) if self._coloured > 0 else escape(shown)
        room = self._coloured if self._coloured > 0 else self._plain
        if self._coloured > 0:
            self._coloured -= len(drawn)
        elif room > len(drawn):
            self._plain -= len(drawn)
        else:
            return Source(name, Markup(""), "", "Not shown here: it is in report.json.")
        numbers = "\n".join(map(str, range(1, shown.count("\n") + 2)))
        return Source(name, drawn, numbers)


def _coloured(text: str, pieces: Pieces) -> Markup:
    """Return a text with those pieces that have a colour in a tag; nothing of it is ever lost."""
    found = list(_joined(pieces(text)))
    if "".join(piece for _, piece in found) != text:
        found = [("", text)]
    return Markup("".join(_tagged(name, escape(piece)) for name, piece in found))


def _tagged(name: str, shown: Markup) -> str:
    # There are very many: Markup's own formatting takes several times as long.
    return f'<i class="{name}">{shown}</i>' if name else shown


def _joined(pieces: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield neighbours of one colour as one; a blank has that of what is before it."""
    colour, parts = "", list[str]()
    for name, piece in pieces:
        if name != colour and not piece.isspace():
            if parts:
                yield colour, "".join(parts)
            colour, parts = name, []
        parts.append(piece)
    if parts:
        yield colour, "".join(parts)


def _of_sql(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of SQL; what stands between dollars is read as such, too."""
    if text.count("$") > _DOLLARS:
        yield "", text
        return
    for token in tokens(text):
        if token.kind is kinds.Literal:
            tag = token.text[: token.text.index("$", 1) + 1]
            yield "", tag
            yield from _of_sql(token.text[len(tag) : -len(tag)])
            yield "", tag
        elif token.kind is kinds.Name:
            yield "k" if token.text.upper() in _KEYWORDS else "", token.text
        else:
            yield _class_of(token.kind), token.text


def _of_plan(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a plan."""
    for _, kind, value in _lexer_of_plans().get_tokens_unprocessed(text):
        yield _class_of(kind), value


@cache
def _lexer_of_plans() -> Any:
    # Most pages show none, and it takes a moment to be loaded.
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name("postgres-explain")


@cache
def _class_of(kind: Any) -> str:
    # sqlparse and Pygments name kinds alike, each by tuples of its own.
    return next((name for each, name in _CLASSES if tuple(kind)[: len(each)] == tuple(each)), "")
