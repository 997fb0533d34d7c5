"""Guards that a DO block makes by hand: a condition on a name, or a duplicate that is caught."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlparse import tokens as kinds

from batchgate.rehearsal.noops.guards import Guard, definition_of
from batchgate.sqltokens import Token, is_blank, tokens

_CATCHES = re.compile(
    r"\bwhen\b[^;]*?(?:\bduplicate_\w+|\bothers\b|\bsqlstate\s+'42(?:P0[67]|710|701)')[^;]*?\bthen\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\bif\b[^;]*?\bthen\b", re.IGNORECASE)
_OPENING = ("begin", "then", "else", "loop")
_QUOTE = re.compile(r"'|\$\w*\$")


class Handmade(NamedTuple):
    """What a block makes under a condition, and how many lines below the block's beginning."""

    guard: Guard
    line: int


def handmade_guards(statement: str) -> list[Handmade]:
    """Return what a DO block makes unless something of that name stands.

    That is so where a condition of the block names it in a string, or where the block goes on
    after a duplicate. What EXECUTE runs is not read.
    """
    pieces = [token for token in tokens(statement) if not is_blank(token)]
    if not pieces or pieces[0].text.lower() != "do":
        return []
    bodies = [token for token in pieces if token.kind in kinds.Literal]
    body = max(bodies, key=lambda token: len(token.text), default=None)
    if body is None or not (_CATCHES.search(body.text) or _ASKS.search(body.text)):
        return []
    return list(_in_body(statement, body))


def _in_body(statement: str, body: Token) -> Iterator[Handmade]:
    opening = _QUOTE.match(body.text)
    edge = len(opening[0]) if opening else 0
    text = body.text[edge : len(body.text) - edge]
    if opening and opening[0].endswith("'"):
        text = text.replace("''", "'")
    above = statement.count("\n", 0, body.at)
    caught = _CATCHES.search(text) is not None
    named = {token.text.strip("'") for token in tokens(text) if token.kind in kinds.String}
    for at, sql in _statements(text):
        guard = definition_of(sql)
        if guard and (caught or _is_asked_for(guard, named)):
            yield Handmade(guard, above + text.count("\n", 0, at))


def _is_asked_for(guard: Guard, named: set[str]) -> bool:
    """Tell whether a string of the block holds the name: in capitals or not, qualified or not."""
    last = guard.name[-1]
    return any(last == name.rpartition(".")[2].strip('"') for name in named)


def _statements(body: str) -> Iterator[tuple[int, str]]:
    """Cut a body at semicolons and at the words that open a branch; keep what defines something."""
    start, defines, depth = -1, False, 0
    for token in tokens(body):
        if is_blank(token):
            continue
        word = token.text.lower()
        depth += (word == "(") - (word == ")")
        if word == ";":
            if defines:
                yield start, body[start : token.at]
            start, defines, depth = -1, False, 0
        elif word in _OPENING and not defines and depth == 0:
            start = -1
        elif start < 0:
            start, defines = token.at, word in ("create", "alter")
