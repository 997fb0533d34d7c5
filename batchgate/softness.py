"""Which changes are of no consequence, and why: classes of their own beside the logical ones."""

import re
from datetime import UTC, datetime, timedelta

from batchgate.wholes import Attributes, Json

_SPELLED_FREELY = frozenset({"sql", "plpgsql"})
_CLOCK = re.compile(r"'(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\.\d+(?:[+-][\d:]+)?'")
_TOKEN = re.compile(
    r"""
      (?P<skip> \s+ | --[^\n]* | /\*.*?\*/ )
    | \b[eE]'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | \w+
    | (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?:.])+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def note_on(class_: str, attribute: str, before: Json, after: Json, stands: Attributes) -> str:
    """Say why a change belongs to a class of its own; most do not and get no note."""
    if class_ == "column order":
        return "seen by select *, copy and row types only"
    if before is None or after is None:
        return ""
    if (class_, attribute) == ("type", "labels") and _within(before, after):
        return "labels of an enum cannot be dropped"
    if (class_, attribute) == ("routine", "body") and stands["language"] in _SPELLED_FREELY:
        return "white space and comments only" if _tokens(before) == _tokens(after) else ""
    if attribute == "default" and isinstance(after, str) and _froze_the_clock(before, after):
        return "the clock at the time of the statement"
    return ""


def _froze_the_clock(before: str, after: str) -> bool:
    """Tell whether two defaults differ only in a time, and the later one is about now."""
    now = datetime.now(UTC).date()
    days = {(now + timedelta(days=days)).isoformat() for days in (-1, 0, 1)}
    same = _CLOCK.sub("clock", before) == _CLOCK.sub("clock", after)
    return same and all(day in days for day in _CLOCK.findall(after))


def _within(few: list[str], many: list[str]) -> bool:
    """Tell whether many holds all of few in their order."""
    rest = iter(many)
    return all(label in rest for label in few)


def _tokens(body: str) -> list[str]:
    return [token[0] for token in _TOKEN.finditer(body) if token["skip"] is None]
