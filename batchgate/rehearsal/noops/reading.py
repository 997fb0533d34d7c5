"""A statement read from left to right: its words, its names as the server takes them, its parts."""

import re
from collections.abc import Sequence

from sqlparse import tokens as kinds

from batchgate.sqltokens import Token, is_blank, tokens

# A longer name is cut by the server, without an error.
_NAME_BYTES = 63
_ESCAPED = re.compile(r"\\(?:\\|([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6}))")
_CLASSES = (
    *("table", "foreign table", "index", "sequence", "materialized view", "view", "schema"),
    *("extension", "statistics", "server", "collation", "user mapping", "type", "domain"),
    *("function", "procedure", "routine", "aggregate", "trigger", "rule", "policy"),
    *("event trigger", "publication", "subscription", "foreign data wrapper", "role", "user"),
    *("group", "language", "conversion", "operator", "operator class", "operator family"),
    *("text search configuration", "text search dictionary", "text search parser"),
    *("text search template", "access method", "cast", "transform", "database", "tablespace"),
)


class Reader:
    """A statement's tokens, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces = [token for token in tokens(text) if not is_blank(token)]
        self.next = 0

    def peek(self, ahead: int = 0) -> str:
        """Return an unquoted word or a sign that comes, in lower case."""
        at = self.next + ahead
        if at >= len(self.pieces) or self.pieces[at].kind in kinds.String:
            return ""
        return self.pieces[at].text.lower()

    def word(self) -> str:
        """Take the next token."""
        taken = self.peek()
        self.next += 1
        return taken

    def take(self, *words: str) -> bool:
        """Take these words where they come next."""
        comes = all(self.peek(ahead) == word for ahead, word in enumerate(words))
        self.next += len(words) if comes else 0
        return comes

    def class_(self) -> str:
        """Take the words that name a class of objects, the longest that fit."""
        for length in (3, 2, 1):
            name = " ".join(self.peek(ahead) for ahead in range(length))
            if name in _CLASSES:
                self.next += length
                return name
        return ""

    def name(self) -> tuple[str, ...]:
        """Take a name, qualified or not; nothing where none comes."""
        parts: list[str] = []
        while self.next < len(self.pieces):
            token = self.pieces[self.next]
            if token.kind not in (kinds.Name, kinds.String.Symbol):
                break
            parts.append(_as_read(token))
            self.next += 1
            if self.peek() != ".":
                break
            self.next += 1
        return tuple(parts)

    def name_after(self, word: str) -> tuple[str, ...]:
        """Take the name that follows the next such word."""
        while self.next < len(self.pieces) and not self.take(word):
            self.next += 1
        self.take("only")
        return self.name()

    def at(self, index: int) -> int:
        """Return where a token begins in the text, or the text's end."""
        return self.pieces[index].at if index < len(self.pieces) else len(self.text)

    def cut(self) -> list[tuple[int, int]]:
        """Cut what is left at its commas, those within brackets left alone."""
        ranges, start, depth = [], self.next, 0
        for index in range(self.next, len(self.pieces)):
            sign = self.pieces[index].text
            depth += (sign in ("(", "[")) - (sign in (")", "]"))
            if sign == "," and depth == 0:
                ranges.append((start, index))
                start = index + 1
        return [*ranges, (start, len(self.pieces))]

    def words(self) -> frozenset[str]:
        """Return all unquoted words."""
        return frozenset(each.text.lower() for each in self.pieces if each.kind is kinds.Name)


def _as_read(token: Token) -> str:
    """Return a name as the server takes it: folded where it is not quoted, and cut."""
    name = token.text
    if token.kind is kinds.Name:
        name = "".join(sign.lower() if sign.isascii() else sign for sign in name)
    else:
        escaped = name[:1] in "uU"
        name = name[name.index('"') + 1 : -1].replace('""', '"')
        name = _ESCAPED.sub(_unescaped, name) if escaped else name
    return name.encode()[:_NAME_BYTES].decode(errors="ignore")


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else "\\"


def names_in(identity: str) -> list[tuple[str, ...]]:
    """Return the names that an identity of a snapshot is made of, unquoted, part by part."""
    reader = Reader(identity)
    names: list[tuple[str, ...]] = []
    while reader.next < len(reader.pieces):
        name = reader.name()
        if name:
            names.append(name)
        else:
            reader.next += 1
    return names


def same_but_for_case(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two names differ, and in nothing but capitals."""
    folded = [tuple(part.lower() for part in name) for name in (one, other)]
    return tuple(one) != tuple(other) and folded[0] == folded[1]
