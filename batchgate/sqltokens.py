"""The lexical rules of PostgreSQL and of psql: text becomes tokens, typed by sqlparse's kinds."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlparse import tokens as kinds


class Token(NamedTuple):
    """One piece of a file, typed by sqlparse's kinds, and the offset where it begins."""

    kind: kinds._TokenType
    text: str
    at: int


# sqlparse's own rules take `#` for a comment and `\'` for an escaped quote, and know neither
# nested comments nor psql's variables; these are the rules of PostgreSQL's and psql's lexers.
# A quote that never closes falls through to the rule for Error.
# Letters are A to Z, the underscore and all beyond ASCII, said by what they are not: a class that
# names so many is slow to compile, and is compiled each time this is imported.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
LETTER_OR_DIGIT = r"[^\x00-/:-@\[-^`{-\x7f]"
_NAMED = r"[^\x00-#%-/:-@\[-^`{-\x7f]"
_ESCAPED = r"[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'(?!')"
# After the end of a line a string goes on, by the rules by which it began: to the server alone,
# since psql reads line by line.
GOES_ON = r"[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'"
_RULES = {
    kinds.Whitespace: r"[ \t\n\r\f\v]+",
    kinds.Comment.Single: r"--[^\n\r]*",
    kinds.Comment.Multiline: r"/\*",
    # No possessive quantifiers: Python before 3.11.5 gets them wrong. The look ahead keeps a
    # doubled quote from ending a string that is never closed.
    kinds.String.Escape: rf"[eE]'{_ESCAPED}",
    kinds.String.Single: r"(?:[bBnNxX]|[uU]&)?'[^']*(?:''[^']*)*'(?!')",
    kinds.String.Symbol: r'(?:[uU]&)?"[^"]*(?:""[^"]*)*"(?!")',
    kinds.Literal: rf"(?P<tag>\$(?:{_LETTER}{LETTER_OR_DIGIT}*)?\$)[\s\S]*?(?P=tag)",
    kinds.Error: rf"(?:[bBeEnNxX]|[uU]&)?'|(?:[uU]&)?\"|\$(?:{_LETTER}{LETTER_OR_DIGIT}*)?\$",
    kinds.Name: rf"{_LETTER}{_NAMED}*",
    kinds.Number: rf"\$?[0-9]+(?:{_LETTER}{_NAMED}*)?",
    kinds.Assignment: r"::|:=",
    kinds.Name.Placeholder: (
        rf":(?:{LETTER_OR_DIGIT}+|'{LETTER_OR_DIGIT}+'|\"{LETTER_OR_DIGIT}+\"|\{{\?{LETTER_OR_DIGIT}+\}})"
    ),
    kinds.Generic.Escape: r"\\[;:]",
    kinds.Generic.Command: r"\\",
    kinds.Punctuation: r"[().;]",
    kinds.Operator: r"[\s\S]",
}
_OF_PSQL = (kinds.Name.Placeholder, kinds.Generic.Escape, kinds.Generic.Command)
_RULES_OF_SERVER = {
    kind: rule + (f"(?:{GOES_ON}{_ESCAPED})*" if kind is kinds.String.Escape else "")
    for kind, rule in _RULES.items()
    if kind not in _OF_PSQL
}
_KINDS = {f"k{number}": kind for number, kind in enumerate(_RULES)}
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def _pattern(rules: Mapping[kinds._TokenType, str]) -> re.Pattern[str]:
    named = (f"(?P<{name}>{rules[kind]})" for name, kind in _KINDS.items() if kind in rules)
    return re.compile("|".join(named))


_TOKEN = _pattern(_RULES)
_TOKEN_OF_SERVER = _pattern(_RULES_OF_SERVER)


def tokens(text: str, start: int = 0, stop: int | None = None) -> Iterator[Token]:
    """Yield the tokens of SQL text as psql cuts it; what is never closed comes as an Error."""
    return _cut(_TOKEN, text, start, len(text) if stop is None else stop)


def server_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens as the server takes them from psql, or from anyone else.

    To it `:x` is no variable but the end of a slice, `a[1:x]`, and may go on beyond what psql would
    take: `:x$y`, `:U&"…"`, `:E'…'`. A string may end in another line than psql thinks.
    """
    return _cut(_TOKEN_OF_SERVER, text, 0, len(text))


def _cut(pattern: re.Pattern[str], text: str, position: int, end: int) -> Iterator[Token]:
    take = pattern.match
    while position < end:
        match = take(text, position, end)
        assert match is not None, "the last rule takes any character"
        kind = _KINDS[match.lastgroup or ""]
        if kind is kinds.Comment.Multiline:
            token = _nested_comment(text, position, end)
            position += len(token.text)
        else:
            token = Token(kind, match[0], position)
            position = match.end()
        yield token


def _nested_comment(text: str, start: int, end: int) -> Token:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start, end):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return Token(kinds.Comment.Multiline, text[start : edge.end()], start)
    return Token(kinds.Error, "/*", start)


def is_blank(token: Token) -> bool:
    """Say whether a token is white space or a comment."""
    return token.kind is kinds.Whitespace or token.kind in kinds.Comment
