"""psql's own language: variables, the arguments of meta-commands, and which of those we know."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlparse import tokens as kinds

from batchgate.errors import SuiteError
from batchgate.sqltext import SENDING, MetaCommand, Statement
from batchgate.sqltokens import LETTER_OR_DIGIT, tokens

INCLUDES = ("i", "include", "ir", "include_relative")
BRANCHES = ("if", "elif", "else", "endif")
PRINTING = ("echo", "qecho", "warn")
QUITTING = ("q", "quit")
DISPLAY = ("pset", "x", "t", "a", "timing", "encoding")
KNOWN = (*PRINTING, "set", "unset", *INCLUDES, *BRANCHES, *SENDING, *QUITTING, *DISPLAY)
_ARGUMENTS_NEEDED = {"set": 1, "unset": 1, "if": 1, "elif": 1, **dict.fromkeys(INCLUDES, 1)}

# Setting these would change how psql runs a file, in ways that are not carried out here.
_UNSUPPORTED_VARIABLES = ("AUTOCOMMIT", "ON_ERROR_ROLLBACK", "SINGLELINE", "SINGLESTEP")
# psql hangs an action on these, so \gset passes them by.
_ACTING_VARIABLES = (
    *_UNSUPPORTED_VARIABLES,
    *("ON_ERROR_STOP", "QUIET", "VERBOSITY", "SHOW_CONTEXT", "FETCH_COUNT", "ECHO"),
    *("ECHO_HIDDEN", "HISTCONTROL", "HISTSIZE", "IGNOREEOF", "PROMPT1", "PROMPT2", "PROMPT3"),
    *("COMP_KEYWORD_CASE", "HIDE_TABLEAM", "HIDE_TOAST_COMPRESSION", "SHOW_ALL_RESULTS"),
)

_NAME = rf"{LETTER_OR_DIGIT}+"
_VARIABLE_NAME = re.compile(_NAME)
# What no variable is named without: most statements have none, and need not be cut for them. Of two
# colons the first may have been a type's, or quoted by a backslash.
_MAY_NAME = re.compile(r"(?<!:)(?:::)*:[^\s:=]|\\:")
_ARGUMENT_PIECE = re.compile(
    rf"""(?P<quoted>'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'(?!'))
    | (?P<literal>:'{_NAME}') | (?P<identifier>:"{_NAME}")
    | (?P<exists>:\{{\?{_NAME}\}}) | (?P<value>:{_NAME})
    | (?P<double>"[^"]*") | (?P<shell>`[^`]*`) | (?P<plain>[^\s])""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|[\s\S])|''")
_LETTERED = {"n": "\n", "t": "\t", "b": "\b", "r": "\r", "f": "\f"}

Variables = Mapping[str, str]


@dataclass(frozen=True)
class Argument:
    """One argument of a meta-command, with its variables filled in."""

    value: str
    quoted: bool


@dataclass(frozen=True)
class Filled:
    """A statement's text with its variables filled in, and where each piece came from."""

    text: str
    pieces: tuple[tuple[int, int, int], ...]

    def source_offset(self, offset: int) -> int:
        """Return the place in the file's text of a place in the filled-in text."""
        for start, source, kept in reversed(self.pieces):
            if start <= offset:
                return source + min(offset - start, kept)
        return 0


def fill(text: str, variables: Variables) -> Filled:
    """Replace psql's variables in a statement, outside of quotes and comments."""
    if not _MAY_NAME.search(text):
        return Filled(text, ((0, 0, len(text)),))
    parts: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    length = 0
    for token in tokens(text):
        part, kept = token.text, len(token.text)
        if token.kind is kinds.Name.Placeholder:
            part, kept = _value_of(token.text, variables), 0
        pieces.append((length, token.at, kept))
        parts.append(part)
        length += len(part)
    return Filled("".join(parts), tuple(pieces))


def _value_of(written: str, variables: Variables) -> str:
    """Return what a variable's mention stands for; one that is not set stands for itself."""
    name = written.strip(":'\"{}?")
    if written.startswith(":{"):
        return "TRUE" if name in variables else "FALSE"
    if name not in variables:
        return written
    value = variables[name]
    if written.startswith(":'"):
        return quote_literal(value)
    if written.startswith(':"'):
        return '"' + value.replace('"', '""') + '"'
    others = {key: other for key, other in variables.items() if key != name}
    return fill(value, others).text


def quote_literal(value: str) -> str:
    """Quote a value as an SQL string, as libpq does."""
    quoted = "'" + value.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in value else quoted


def arguments(written: str, variables: Variables) -> list[Argument]:
    """Cut a meta-command's arguments as psql does: at white space, quotes and variables done."""
    found: list[Argument] = []
    end = -1
    for piece in _ARGUMENT_PIECE.finditer(written):
        value, quoted = _piece(piece, variables), piece.lastgroup != "plain"
        if piece.start() == end:
            last = found.pop()
            value, quoted = last.value + value, last.quoted or quoted
        found.append(Argument(value, quoted))
        end = piece.end()
    return found


def _piece(piece: re.Match[str], variables: Variables) -> str:
    text = piece[0]
    if piece.lastgroup == "quoted":
        return _ESCAPED.sub(_unescape, text[1:-1])
    if piece.lastgroup == "value":
        return variables.get(text[1:], text)
    if piece.lastgroup in ("literal", "identifier", "exists"):
        return _value_of(text, variables)
    return text


def _unescape(match: re.Match[str]) -> str:
    sign = match[1]
    if sign is None:
        return "'"
    if sign[0] == "x" and len(sign) > 1:
        return chr(int(sign[1:], 16))
    if sign[0] in "01234567":
        return chr(int(sign, 8) & 0xFF)
    return _LETTERED.get(sign, sign)


def boolean(value: str) -> bool | None:
    """Read a word as psql reads a Boolean: any beginning of one will do; None if it is none."""
    word = value.lower()
    if word == "1" or (word and ("true".startswith(word) or "yes".startswith(word))):
        return True
    if word == "0" or (word and ("false".startswith(word) or "no".startswith(word))):
        return False
    if len(word) > 1 and "off".startswith(word):
        return word == "on"
    return True if word == "on" else None


def is_variable_name(name: str) -> bool:
    """Say whether psql takes a word as a variable's name."""
    return _VARIABLE_NAME.fullmatch(name) is not None


def may_be_set_by_query(name: str) -> bool:
    """Say whether \\gset sets this variable, rather than pass it by."""
    return name not in _ACTING_VARIABLES


def check_send(statement: Statement, at: str) -> None:
    """Refuse to send a statement's result anywhere but to the output."""
    where = statement.send_arguments
    if statement.send in ("g", "gx") and where and not re.fullmatch(r"\([^)]*\)", where):
        raise SuiteError(f"\\{statement.send} {where} would write elsewhere", at=at)


def check_command(command: MetaCommand, at: str) -> None:
    """Refuse a meta-command that we do not know, or cannot carry out as psql would."""
    if command.name not in KNOWN:
        raise SuiteError(
            f"unknown psql command \\{command.name}",
            at=at,
            fix="Use one of " + ", ".join(f"\\{name}" for name in KNOWN) + ".",
        )
    pieces = _ARGUMENT_PIECE.finditer(command.arguments)
    if any(piece.lastgroup == "shell" for piece in pieces):
        raise SuiteError(f"\\{command.name} would run a shell command", at=at)
    given = arguments(command.arguments, {})
    if len(given) < _ARGUMENTS_NEEDED.get(command.name, 0):
        raise SuiteError(f"\\{command.name} expects an argument, found none", at=at)
    _check_first_argument(command, given, at)


def _check_first_argument(command: MetaCommand, given: list[Argument], at: str) -> None:
    first = given[0].value if given else ""
    if command.name in INCLUDES and ":" in first:
        raise SuiteError(
            f"\\{command.name} expects a file name without variables, found {first}", at=at
        )
    if command.name in ("set", "unset"):
        if first in _UNSUPPORTED_VARIABLES:
            raise SuiteError(f"\\{command.name} {first} is not supported", at=at)
        if ":" not in first and not is_variable_name(first):
            raise SuiteError(f'\\{command.name} expects a variable\'s name, found "{first}"', at=at)
    if command.name == "encoding" and first.upper() not in ("", "UTF8", "UTF-8", "UNICODE"):
        raise SuiteError(f"\\encoding expects UTF8, found {first}", at=at)
