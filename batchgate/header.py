"""The `-- key: value` block at the top of a batch's or a gate's file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from batchgate.errors import SuiteError

GATE_KEYS = ("level", "after", "of", "show", "fix", "rows", "title", "pass")
TRAFFIC_KEYS = ("after", "until")
BATCH_KEYS = ("requires", "present", "irreversible", "transaction")

_COMMENT = re.compile(r"--[ \t]?(.*)")
_LOOSE_KEY = re.compile(r"([A-Za-z]\w*)[ \t]*:")
_KEY = re.compile(r"([a-z][a-z0-9_]*):(?:[ \t]+(.*))?$")


@dataclass(frozen=True)
class Header:
    """What a file says of itself: a sentence, then values by key, each with its line."""

    sentence: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def get(self, key: str, default: str = "") -> str:
        """Return the value of `key`, or `default` where the header does not have it."""
        return self.values.get(key, default)

    def items(self, key: str) -> tuple[str, ...]:
        """Return a comma-separated value as its parts."""
        return tuple(part.strip() for part in self.get(key).split(",") if part.strip())

    def line(self, key: str) -> int:
        """Return the line `key` stands on; the file's first where it is absent."""
        return self.lines.get(key, 1)


def read_header(text: str, *, path: str, keys: tuple[str, ...], required: bool) -> Header:
    """Read the header of a file, or refuse it with the line and the known keys.

    Where a header is not required, comments without a known key, or one that was meant to be
    known, are ordinary comments: the file has a sentence at most.
    """
    comments = _leading_comments(text)
    sentence, keyed, stray = _parts(comments)
    known = required or any(key in keys for _, key, _ in keyed)
    _check_spelling(comments, path=path, keys=keys, capitals=known)
    if not required and not any(
        key in keys or _nearest(key, keys, likeness=0.75) for _, key, _ in keyed
    ):
        return Header(sentence)
    if not sentence:
        raise SuiteError(
            f"{path}: expected a header that opens with a sentence, found "
            f"{_shown(comments[0][1]) if comments else 'none'}",
            at=f"{path}:{comments[0][0] if comments else 1}",
            fix="Begin the file with `-- A full sentence.`, then `-- key: value` lines.",
        )
    if required and stray:
        line, comment = stray[0]
        raise SuiteError(
            f"{path}: expected `-- key: value` in the header, found {_shown(comment)}",
            at=f"{path}:{line}",
            fix="Keys are lower_snake; put a blank line between the header and other comments.",
        )
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, key, value in keyed:
        _check_key(key, value, path=path, line=line, keys=keys, seen=lines)
        values[key] = value
        lines[key] = line
    return Header(sentence, values, lines)


def _leading_comments(text: str) -> list[tuple[int, str]]:
    """Return the comment lines from the first line that is not blank to the next that is none."""
    comments: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _COMMENT.match(line)
        if not match and (comments or line.strip()):
            break
        if not match:
            continue
        comments.append((number, match[1].strip()))
    return comments


def _parts(
    comments: list[tuple[int, str]],
) -> tuple[str, list[tuple[int, str, str]], list[tuple[int, str]]]:
    """Part the opening sentence, the keyed lines, and what is neither and follows them."""
    sentence: list[str] = []
    keyed: list[tuple[int, str, str]] = []
    stray: list[tuple[int, str]] = []
    for line, comment in comments:
        if match := _KEY.match(comment):
            keyed.append((line, match[1], (match[2] or "").strip()))
        elif keyed:
            stray.append((line, comment))
        else:
            sentence.append(comment)
    text = " ".join(part for part in sentence if part)
    return (text if text.endswith((".", "?", "!")) else ""), keyed, stray


def _check_spelling(
    comments: list[tuple[int, str]], *, path: str, keys: tuple[str, ...], capitals: bool
) -> None:
    """Refuse a line that is a known key but for its blanks, or its capitals in a header."""
    for line, comment in comments:
        loose = _LOOSE_KEY.match(comment)
        if not loose or _KEY.match(comment):
            continue
        key = loose[1].lower() if capitals else loose[1]
        if key in keys:
            raise SuiteError(
                f"{path}: expected `-- {key}: value`, found {_shown(comment)}",
                at=f"{path}:{line}",
                fix="Keys are lower_snake, followed by a colon and a blank.",
            )


def _nearest(key: str, keys: tuple[str, ...], *, likeness: float = 0.6) -> str:
    """Return the known key that an unknown one was probably meant to be, or nothing."""
    return next(iter(get_close_matches(key, keys, n=1, cutoff=likeness)), "")


def _check_key(
    key: str, value: str, *, path: str, line: int, keys: tuple[str, ...], seen: Mapping[str, int]
) -> None:
    known = f"Known keys: {', '.join(keys)}."
    at = f"{path}:{line}"
    if key not in keys:
        near = _nearest(key, keys)
        meant = f"Did you mean `{near}`? " if near else ""
        raise SuiteError(
            f"{path}: expected a known header key, found `{key}`",
            at=at,
            fix=f"{meant}{known} A blank line ends the header; comments after it are free.",
        )
    if key in seen:
        raise SuiteError(
            f"{path}: expected header key `{key}` once, found it again",
            at=at,
            fix=f"Keep one of the lines {seen[key]} and {line}.",
        )
    if not value:
        raise SuiteError(
            f"{path}: expected a value for header key `{key}`, found none",
            at=at,
            fix=f"Write `-- {key}: …`, or leave the line out.",
        )


def _shown(comment: str) -> str:
    return f"`{comment[:60]}`" if comment else "an empty comment"
