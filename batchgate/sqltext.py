"""SQL files as psql reads them: statements and meta-commands that know their line."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from sqlparse import tokens as kinds

from batchgate.errors import SuiteError
from batchgate.sqltokens import Token, is_blank, tokens

SENDING = ("g", "gx", "gset", "gexec")


@dataclass(frozen=True)
class Statement:
    """What goes to the server in one piece, without its semicolon and the comments around it."""

    text: str
    line: int
    send: str = ""
    send_arguments: str = ""
    copy_data: str | None = None
    semicolon: bool = False


@dataclass(frozen=True)
class MetaCommand:
    """A backslash command that psql itself carries out."""

    name: str
    arguments: str
    line: int


Part = Statement | MetaCommand


_COMMAND_NAME = re.compile(r"\\([^\s\\]*)")
_COMMAND_ARGUMENTS = re.compile(
    r"""(?:[^\\\n'"`]|'[^'\\\n]*(?:(?:\\[^\n]|'')[^'\\\n]*)*'(?!')|"[^"\n]*"|`[^`\n]*`)*"""
)
_END_OF_DATA = re.compile(r"^\\\.\r?(?:\n|\Z)", re.MULTILINE)


def read_sql(path: Path, *, shown: str = "") -> str:
    """Return a file's text as it stands, line ends included, without a byte-order mark.

    `shown` is the path as messages print it.
    """
    shown = shown or str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SuiteError(
            f"{shown}: expected a file that can be read, found none",
            at=shown,
            cause=error.strerror or str(error),
            fix="Let this user read it, or remove it.",
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SuiteError(
            f"{path.name}: expected UTF-8, found byte 0x{error.object[error.start]:02x}",
            at=f"{shown}:{line}",
            fix="Save the file as UTF-8.",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SuiteError(
            f"{path.name}: found a NUL character",
            at=f"{shown}:{line}",
            fix="Remove it: no PostgreSQL text can hold one.",
        )
    return text


def words(sql: str) -> tuple[str, ...]:
    """Return the unquoted words of a statement in lower case, in their order."""
    return tuple(token.text.lower() for token in tokens(sql) if token.kind is kinds.Name)


def first_parameter(sql: str) -> str:
    """Return the first `$1` that a statement wants a value for, or nothing."""
    numbers = (token.text for token in tokens(sql) if token.kind is kinds.Number)
    return next((number for number in numbers if number.startswith("$")), "")


def copies_out(sql: str) -> bool:
    """Say whether a statement is COPY … TO STDOUT."""
    # Asked of every statement, of which most begin with another word.
    first = next((token.text for token in tokens(sql) if token.kind is kinds.Name), "")
    return first.lower() == "copy" and _copies("to", words(sql))


def _copies(direction: str, spoken: Sequence[str]) -> bool:
    """Find COPY with ``from stdin`` or ``to stdout``, whose names PostgreSQL takes as one."""
    begins = list(spoken[:1]) == ["copy"]
    return begins and any(
        first == direction and second in ("stdin", "stdout") for first, second in pairwise(spoken)
    )


_READING = ("select", "values", "table", "show", "with")
_WRITING = ("insert", "update", "delete", "merge")


def writing_word(sql: str) -> str:
    """Return the word by which a statement is more than a reading one, or nothing.

    A verb counts where a statement can begin: first, or next to a parenthesis (``with … as
    (delete …) insert …``). ``into`` is reserved, so in a query it always makes a table.
    """
    before = ""
    for token in tokens(sql):
        if is_blank(token):
            continue
        word = token.text.lower()
        if token.kind is kinds.Name:
            changes = before in ("", "(", ")") and word in _WRITING
            locks = before in ("for", "key") and word in ("update", "share")
            if changes or locks or word == "into" or (not before and word not in _READING):
                return word
        before = word
    return ""


def split(text: str, *, path: str) -> list[Part]:
    """Cut a file into statements and meta-commands, at psql's own boundaries."""
    return list(_split(text, path))


@lru_cache(maxsize=256)
def _split(text: str, path: str) -> tuple[Part, ...]:
    # A suite's files are few and run very often.
    return tuple(_Splitter(text, path).split())


class _Splitter:
    """Reads one file from top to end, holding what psql's scanner holds."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path
        self.newlines = [match.start() for match in re.finditer("\n", text)]
        self.parts: list[Part] = []
        self.previous = ""
        # A COPY's data begins on the line after its own: up to `stop`, that line is read on;
        # from there reading goes on at `resume`.
        self.stop = self.resume = len(text)
        self._clear()

    def _clear(self) -> None:
        self.pieces: list[Token] = []
        self.words: list[str] = []
        self.opened: list[Token] = []
        self.blocks: list[Token] = []

    def split(self) -> list[Part]:
        position = 0
        while position < len(self.text):
            position = self._read(position)
            if position >= self.stop:
                position = self.resume
                self.stop = self.resume = len(self.text)
        self._end_statement(len(self.text))
        return self.parts

    def _read(self, start: int) -> int:
        """Read on until a meta-command or a COPY moves the place to read from."""
        for token in tokens(self.text, start, self.stop):
            if token.kind is kinds.Error:
                raise self._unclosed(token)
            if token.kind is kinds.Generic.Command:
                return self._read_command(token)
            if token.text == ";" and not self.opened and not self.blocks:
                if self._end_statement(token.at, semicolon=True):
                    return token.at + 1
            elif self.pieces or not is_blank(token):
                self._take(token)
        return self.stop

    def _take(self, token: Token) -> None:
        if token.kind is kinds.Generic.Escape:
            token = token._replace(text=token.text[1])
            self.words = [] if token.text == ";" else self.words
        self.pieces.append(token)
        if token.text == "(":
            self.opened.append(token)
        elif token.text == ")" and self.opened:
            self.opened.pop()
        elif token.kind is kinds.Name and not self.opened:
            self.words.append(token.text.lower())
            self._take_block_word(token)

    def _take_block_word(self, token: Token) -> None:
        """Follow BEGIN ATOMIC … END, as psql does: only in the creation of a routine."""
        head = [word for word in self.words[:4] if word not in ("or", "replace")][:2]
        if head not in (["create", "function"], ["create", "procedure"]):
            return
        word = self.words[-1]
        if word == "begin" or (word == "case" and self.blocks):
            self.blocks.append(token)
        elif word == "end" and self.blocks:
            self.blocks.pop()

    def _end_statement(
        self, at: int, send: str = "", arguments: str = "", *, semicolon: bool = False
    ) -> bool:
        """Keep the statement that ends here; say whether data in the file follows it."""
        if self.opened or self.blocks:
            raise self._unclosed((self.opened or self.blocks)[-1])
        while self.pieces and is_blank(self.pieces[-1]):
            self.pieces.pop()
        text = "".join(piece.text for piece in self.pieces)
        first = self.pieces[0].at if self.pieces else at
        data = self._copy_data(at) if _copies("from", self.words) else None
        if text or send:
            if not text and not self.previous:
                raise SuiteError(f"\\{send} has no statement to send", at=self._place(at))
            self.previous = text or self.previous
            self.parts.append(
                Statement(self.previous, self._line(first), send, arguments, data, semicolon)
            )
        self._clear()
        return data is not None

    def _copy_data(self, at: int) -> str:
        """Take the lines up to `\\.`, which begin below the line that is being read."""
        if self.stop == len(self.text):
            newline = self.text.find("\n", at)
            self.stop = self.resume = len(self.text) if newline < 0 else newline + 1
        start = self.resume
        end = _END_OF_DATA.search(self.text, start)
        self.resume = end.end() if end else len(self.text)
        return self.text[start : end.start() if end else len(self.text)]

    def _read_command(self, token: Token) -> int:
        named = _COMMAND_NAME.match(self.text, token.at)
        assert named is not None, "a command's token is a backslash"
        name = named[1]
        given = _COMMAND_ARGUMENTS.match(self.text, named.end())
        assert given is not None, "a command may have no arguments"
        end = given.end()
        if self.text[end : end + 1] in ("'", '"', "`"):
            raise self._unclosed(Token(kinds.Error, self.text[end], end))
        if name in SENDING:
            self._end_statement(token.at, name, given[0].strip())
        else:
            self.parts.append(MetaCommand(name, given[0].strip(), self._line(token.at)))
            self._refuse_branch_inside_statement(name, token)
        return end + 2 if self.text.startswith("\\\\", end) else end

    def _refuse_branch_inside_statement(self, name: str, token: Token) -> None:
        begun = [piece for piece in self.pieces if not is_blank(piece)]
        if begun and name in ("if", "elif", "else", "endif"):
            raise SuiteError(
                f"\\{name} stands inside a statement",
                at=self._place(token.at),
                cause=f"the statement of line {self._line(begun[0].at)} has not ended",
                fix="End the statement with a semicolon first.",
            )

    def _line(self, at: int) -> int:
        return bisect_right(self.newlines, at - 1) + 1

    def _place(self, at: int) -> str:
        return f"{self.path}:{self._line(at)}"

    def _unclosed(self, token: Token) -> SuiteError:
        return SuiteError(
            f"{token.text} is opened here and never closed",
            at=self._place(token.at),
            fix="Close it; psql would read on to the end of the file.",
        )
