"""Which changes are of no consequence, and why: classes of their own beside the logical ones."""

import re
from datetime import UTC, datetime, timedelta

from batchgate.wholes import Attributes, Json

_SPELLED_FREELY = frozenset({"sql", "plpgsql"})
# A date with a time, or a time alone, down to fractions that no one writes by hand.
_CLOCK = re.compile(r"'(?:(\d{4}-\d\d-\d\d) )?\d\d:\d\d:\d\d\.\d+(?:[+-][\d:]+)?'")
# As the server's scanner has it: what is a space, where a comment ends, which letters make a name.
_TOKEN = re.compile(
    r"""
      (?P<skip> [ \t\n\r\f\v]+ | --[^\n\r]* )
    | (?P<comment> /\* )
    | [eE]'(?:[^'\\]|\\.|'')*'
    | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'
    | (?:[uU]&)?"(?:[^"]|"")*"
    | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
    | (?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?
    | [\w$\x80-\U0010ffff]+
    | (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?:.])+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_EDGE = re.compile(r"/\*|\*/")


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
    return same and all(day in days for day in _CLOCK.findall(after) if day)


def _within(few: list[str], many: list[str]) -> bool:
    """Tell whether many holds all of few in their order."""
    rest = iter(many)
    return all(label in rest for label in few)


def _tokens(body: str) -> list[str]:
    found, place = [], 0
    while token := _TOKEN.match(body, place):
        place = token.end()
        if token["comment"]:
            place = _after_comment(body, place)
        elif token["skip"] is None:
            found.append(token[0])
    return found


def _after_comment(body: str, place: int) -> int:
    """Return where a comment ends that has begun: comments stand within each other."""
    depth = 1
    while depth and (edge := _EDGE.search(body, place)):
        depth += 1 if edge[0] == "/*" else -1
        place = edge.end()
    return place if depth == 0 else len(body)
