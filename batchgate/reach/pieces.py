"""SQL text in pieces that mean something, each name in the form in which the server keeps it."""

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sqlparse import tokens as kinds

from batchgate.sqltokens import GOES_ON, Token, is_blank, server_tokens

# A name is kept in 63 bytes, and what those are only the server knows: it cuts further.
_LONGEST = 63
_JOINT = re.compile(f"'{GOES_ON}")
_ESCAPE = re.compile(r"[0-9a-fA-F]{4}|\+[0-9a-fA-F]{6}")


class Piece(NamedTuple):
    """A token that is neither white space nor comment; `name` where it can be one."""

    kind: str
    text: str
    name: str = ""


# A gate's text is asked for its names, for its tables, and again for what they need.
@lru_cache(maxsize=256)
def pieces_of(sql: str) -> tuple[Piece, ...]:
    """Return the tokens that mean something, with each name in the form in which it is kept."""
    meant = deque(token for token in server_tokens(sql) if not is_blank(token))
    found: list[Piece] = []
    while meant:
        token = meant.popleft()
        if token.kind is kinds.Name:
            found.append(Piece("word", token.text, _cut(_lower(token.text))))
        elif token.kind is kinds.String.Symbol:
            found.append(Piece("quoted", token.text, _cut(_unquoted(token.text, meant))))
        elif token.kind in kinds.String or token.kind is kinds.Literal:
            found.append(Piece("string", token.text))
        else:
            found.append(Piece("sign", token.text))
    return tuple(found)


def string_value(text: str) -> str:
    """Return what a string constant says, but for the escapes of E'…' and U&'…'."""
    if text.startswith("$"):
        mark = text[: text.index("$", 1) + 1]
        return text[len(mark) : -len(mark)]
    whole = _JOINT.sub("", text) if text[0] in "eE" else text
    return whole[whole.index("'") + 1 : -1].replace("''", "'")


def split_path(setting: str) -> tuple[str, ...]:
    """Return the schemas of a search_path, as the server splits it."""
    return tuple(piece.name for piece in pieces_of(setting) if piece.name)


def _lower(text: str) -> str:
    """Fold ASCII alone, as the server does in UTF-8."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)


def _cut(name: str) -> str:
    return name[:_LONGEST]


def _unquoted(text: str, after: deque[Token]) -> str:
    name = text[text.index('"') + 1 : -1].replace('""', '"')
    if text[0] not in "uU":
        return name
    # Two escapes may be one character: the halves of a surrogate pair.
    units = "".join(_unescaped(name, _taken_escape(after))).encode("utf-16", "surrogatepass")
    return units.decode("utf-16", "replace")


def _taken_escape(after: deque[Token]) -> str:
    """Take `uescape '!'` off what follows, which to the server is part of the name before it."""
    given = len(after) > 1 and after[0].text.lower() == "uescape"
    if not (given and (after[1].kind in kinds.String or after[1].kind is kinds.Literal)):
        return "\\"
    after.popleft()
    text = after.popleft().text
    sign = string_value(text)
    while after and after[0].text[0] == "'":
        sign += string_value(after.popleft().text)
    return sign.encode().decode("unicode_escape", "replace") if text[0] in "eE" else sign


def _unescaped(name: str, escape: str) -> Iterator[str]:
    at = 0
    while at < len(name):
        if name[at] != escape:
            yield name[at]
            at += 1
        elif code := _ESCAPE.match(name, at + 1):
            point = int(code[0].lstrip("+"), 16)
            yield chr(point) if 0 < point <= 0x10FFFF else "\ufffd"
            at = code.end()
        else:
            yield escape
            at += 2
