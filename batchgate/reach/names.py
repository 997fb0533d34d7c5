"""The names that SQL text speaks, as PostgreSQL reads them: what it calls, what it reads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from sqlparse import tokens as kinds

from batchgate.reach.pieces import Piece, pieces_of, string_value
from batchgate.sqltokens import Token, server_tokens


@dataclass(frozen=True)
class Name:
    """A name as it is spoken: with its schema where one is given, and what it is used for.

    `arguments` is the number of them where the name is called and they can be counted; `reads`
    where a relation stands; `inner` where it may be a function in the place of a column.
    """

    name: str
    schema: str | None = None
    called: bool = False
    arguments: int | None = None
    reads: bool = False
    inner: bool = False


_SYMBOLS = frozenset("+-*/<>=~!@#%^&|`?")
_EQUALS = ("=", "<>")
_WORDS_OF_OPERATORS: Mapping[str, Sequence[str]] = {
    "like": ("~~", "!~~"),
    "ilike": ("~~*", "!~~*"),
    "similar": ("~", "!~"),
    "between": ("<", "<=", ">", ">="),
    **dict.fromkeys(("in", "case", "nullif", "using", "natural", "distinct"), _EQUALS),
}
_QUERIES = ("select", "values", "table", "with")
_GUIDING = (*_QUERIES, "from", "join")
_FROM_ENDS = re.compile(
    "where|group|having|window|order|limit|offset|fetch|for|union|intersect|except|returning"
    "|loop|then"
)
# No name unless quoted; the words that can be a function's are not among them.
_RESERVED = re.compile(
    "all|analy[sz]e|and|any|array|as|asc|asymmetric|both|case|cast|check|collate|column|constraint"
    "|create|current_(?:catalog|date|role|time|timestamp|user)|default|deferrable|desc|distinct|do"
    "|else|end|except|false|fetch|for|foreign|from|grant|group|having|in|initially|intersect|into"
    "|lateral|leading|limit|localtime|localtimestamp|not|null|offset|on|only|or|order|placing"
    "|primary|references|returning|select|session_user|some|symmetric|system_user|table|then|to"
    "|trailing|true|union|unique|user|using|variadic|when|where|window|with"
)


def spoken_names(sql: str) -> tuple[Name, ...]:
    """Return what a text names, each once: functions that are called, and everything else."""
    pieces = pieces_of(sql)
    reading = _reading_places(pieces)
    found: dict[Name, None] = {}
    at = 0
    while at < len(pieces):
        if not pieces[at].name or _is_reserved(pieces[at]):
            at += 1
            continue
        end = at + 1
        while end + 1 < len(pieces) and pieces[end].text == "." and pieces[end + 1].name:
            end += 2
        name = _name(pieces, at, end, at in reading)
        found[name] = None
        at = end
    return tuple(found)


def _name(pieces: Sequence[Piece], at: int, end: int, reads: bool) -> Name:
    parts = [piece.name for piece in pieces[at:end:2]]
    before = pieces[at - 1].text.lower() if at else ""
    called = (
        end < len(pieces)
        and pieces[end].text == "("
        and before != "as"
        and not _is_common_table(pieces, end, before)
    )
    return Name(
        name=parts[-1],
        schema=parts[-2] if len(parts) > 1 else None,
        called=called,
        arguments=_count_arguments(pieces, end) if called else None,
        reads=reads and not called,
        inner=not called and (len(parts) > 1 or before == "."),
    )


def operators(sql: str) -> frozenset[str]:
    """Return every operator that a text may hold: where signs adjoin, each part of them.

    Some are called by a word: `in` is `=`, `like` is `~~`.
    """
    found, run = set[str](), ""
    for token in [*server_tokens(sql), Token(kinds.Whitespace, " ", len(sql))]:
        if token.kind is kinds.Operator and token.text in _SYMBOLS:
            run += token.text
            continue
        found.update(_parts(run), _WORDS_OF_OPERATORS.get(token.text.lower(), ()))
        run = ""
    # The server knows the first by no other name than the second.
    return frozenset(found | {"<>"} if "!=" in found else found)


def _parts(run: str) -> Iterator[str]:
    for start in range(len(run)):
        for stop in range(start + 1, len(run) + 1):
            yield run[start:stop]


def plain_names(sql: str) -> tuple[Name, ...]:
    """Return the names of a text that is nothing but a list of names, such as a header's `of`."""
    pieces = pieces_of(sql)
    between = {",", "."}
    if not pieces or any(not piece.name and piece.text not in between for piece in pieces):
        return ()
    if any(left.name and right.name for left, right in pairwise(pieces)):
        return ()
    return tuple(Name(each.name, each.schema, reads=True) for each in spoken_names(sql))


def _is_reserved(piece: Piece) -> bool:
    return piece.kind == "word" and _RESERVED.fullmatch(piece.name) is not None


def _closing(pieces: Sequence[Piece], opening: int) -> int:
    """Return the place of the parenthesis that closes this one, or the end."""
    depth = 0
    for at in range(opening, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[at].text, 0)
        if depth == 0:
            return at
    return len(pieces)


def _is_common_table(pieces: Sequence[Piece], opening: int, before: str) -> bool:
    """Say whether `name (…)` heads a common table expression: `as (select …` comes after it.

    `from f(…) as (a int)` is none; there no query follows, not even `values (`.
    """
    if before not in ("with", "recursive", ","):
        return False
    after = [piece.text.lower() for piece in pieces[_closing(pieces, opening) + 1 :][:6]]
    if after[:1] != ["as"]:
        return False
    body = [word for word in after[1:] if word not in ("not", "materialized")]
    return body[:1] == ["("] and (
        body[1:2] in (["select"], ["with"], ["table"]) or body[1:3] == ["values", "("]
    )


def _count_arguments(pieces: Sequence[Piece], opening: int) -> int | None:
    """Count the arguments between parentheses; None where they may be more than what is parted."""
    inside = pieces[opening + 1 : _closing(pieces, opening)]
    if not inside or [piece.text for piece in inside] == ["*"]:
        return 0
    depth, parted = 0, 1
    for piece in inside:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(piece.text, 0)
        if depth == 0 and piece.kind == "word" and piece.name in ("order", "variadic", "from"):
            return None
        parted += depth == 0 and piece.text == ","
    return parted


@dataclass
class _Level:
    """Where a parenthesis, or the whole, stands: in a query, in its FROM, before a relation."""

    query: bool
    in_from: bool = False
    awaited: bool = False


def _reading_places(pieces: Sequence[Piece]) -> frozenset[int]:
    """Return the places where a relation is named: after FROM, JOIN, TABLE, or a comma there."""
    found = set()
    levels = [_Level(query=True)]
    for at, piece in enumerate(pieces):
        level, word = levels[-1], piece.name if piece.kind == "word" else piece.text
        if word == "(":
            levels.append(_Level(query=False, in_from=level.awaited, awaited=level.awaited))
            level.awaited = False
        elif word == ")":
            levels = levels[:-1] or [_Level(query=True)]
            levels[-1].awaited = False
        elif word == ",":
            level.awaited = level.in_from
        elif word == ";":
            levels = [_Level(query=True)]
        elif piece.kind == "word" and (word in _GUIDING or _FROM_ENDS.fullmatch(word)):
            before = pieces[at - 1].text.lower() if at else ""
            _take_word(level, word, before)
        elif piece.name and word not in ("only", "lateral"):
            if level.awaited:
                found.add(at)
            level.awaited = False
    return frozenset(found)


def _take_word(level: _Level, word: str, before: str) -> None:
    """Follow the words that begin and end a list of relations."""
    if word in _QUERIES:
        level.query, level.in_from, level.awaited = True, False, word == "table"
    elif word == "from":
        # `is distinct from`, `extract(year from …)` and the like read nothing.
        if level.query and before != "distinct":
            level.in_from = level.awaited = True
    elif word == "join":
        level.awaited = True
    else:
        level.in_from = level.awaited = False


def common_tables(sql: str) -> frozenset[str]:
    """Return the names that a text gives to queries of its own, by WITH."""
    pieces = pieces_of(sql)
    found = set()
    for at, piece in enumerate(pieces[:-1]):
        before = pieces[at - 1].text.lower() if at else ""
        if not piece.name or before not in ("with", "recursive", ","):
            continue
        after = pieces[at + 1 : at + 5]
        words = list(takewhile(lambda word: word != "(", (each.text.lower() for each in after)))
        head = words[:1] == ["as"] and set(words[1:]) <= {"not", "materialized"}
        if head or _is_common_table(pieces, at + 1, before):
            found.add(piece.name)
    return frozenset(found)


def schemas_in_strings(sql: str) -> frozenset[str]:
    """Return the schemas that constants name where they stand for objects.

    That is as the first argument of a call (``to_regclass('s.t')``) and before a cast to a type
    such as regclass: looking a name up takes the right to use its schema.
    """
    pieces = pieces_of(sql)
    found = set()
    for at, piece in enumerate(pieces):
        if piece.kind != "string":
            continue
        first = at > 1 and pieces[at - 1].text == "(" and bool(pieces[at - 2].name)
        after = [each.text.lower() for each in pieces[at + 1 : at + 5]]
        if first or (after[:1] == ["::"] and any(word.startswith("reg") for word in after[1:])):
            inside = pieces_of(string_value(piece.text))
            if len(inside) > 2 and inside[0].name and inside[1].text == ".":
                found.add(inside[0].name)
    return frozenset(found)


def speaks_of_all(sql: str) -> bool:
    """Say whether a text may read every column of a relation: by `*`, but not in `count(*)`."""
    pieces = pieces_of(sql)
    return any(
        piece.text == "*"
        and (before.text in (",", ".") or before.name in ("select", "distinct", "all"))
        for before, piece in pairwise(pieces)
    )
