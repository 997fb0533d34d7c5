"""What stands in a database's catalogs, and what differs between two such sights.

Every class of object has a file ``queries/class_<name>.sql`` that yields one row an object:
its qualified name, never an oid, and its attributes. A file that needs a catalog which older
servers lack says ``-- since: <major>``; one whose class most databases have nothing of says
``-- where: <condition>`` and is asked only there, since planning it costs more than asking.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

Json: TypeAlias = Any
Attributes: TypeAlias = Mapping[str, Json]
Key: TypeAlias = tuple[str, str]

# Wholes come before the parts that fall with them.
WHOLES_FIRST = ("schema", "extension", "relation", "type", "routine", "column", "constraint")
UNORDERED = frozenset({"acl", "options", "roles", "settings", "foreign options", "tags"})
SPELLED_FREELY = frozenset({"sql", "plpgsql"})

SINCE = re.compile(r"^-- since: (\d+)$", re.MULTILINE)
WHERE = re.compile(r"^-- where: (.+)$", re.MULTILINE)
CLOCK = re.compile(r"'(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\.\d+(?:[+-][\d:]+)?'")
TOKEN = re.compile(
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


class Kind(StrEnum):
    """How an object or one of its attributes differs."""

    LEFT_BEHIND = "left behind"
    DESTROYED = "destroyed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Snapshot:
    """Every object of a database by class and qualified name, with its attributes."""

    facts: Mapping[Key, Attributes]


@dataclass(frozen=True)
class Difference:
    """One thing that does not stand as it stood; a note says why it is of no consequence."""

    kind: Kind
    class_: str
    identity: str
    attribute: str | None = None
    before: Json = None
    after: Json = None
    note: str = ""

    @property
    def soft(self) -> bool:
        """Tell whether this is to be reported apart from logical differences."""
        return bool(self.note)

    def __str__(self) -> str:
        line = f"{self.kind}: {self.class_} {self.identity}"
        if self.attribute is not None:
            before, after = _excerpts(_readable(self.before), _readable(self.after))
            line += f", {self.attribute}: {before} → {after}"
        return f"{line} ({self.note})" if self.note else line


def take_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    """Read every class in one statement, so in one snapshot.

    An open transaction of the caller is read through a savepoint that is rolled back, which
    gives back its settings and the locks that reading took.
    """
    with _reading(connection) as cursor:
        classes = _classes(connection.info.server_version // 10000)
        conditions = cursor.execute(_conditions(classes)).fetchone() or ()
        asked = tuple(one for one, stands in zip(classes, conditions, strict=True) if stands)
        rows = cursor.execute(_statement(asked)).fetchall()
    facts: dict[Key, Attributes] = {}
    for class_, identity, attributes in sorted(rows, key=repr):
        key, twins = (class_, identity), 1
        while key in facts:
            twins += 1
            key = (class_, f"{identity} ({twins})")
        facts[key] = _in_order(attributes)
    return Snapshot(facts)


def compare(before: Snapshot, after: Snapshot) -> list[Difference]:
    """List what differs, logical differences first, wholes before their parts."""
    differences: list[Difference] = []
    for class_, identity in before.facts.keys() | after.facts.keys():
        was = before.facts.get((class_, identity))
        stands = after.facts.get((class_, identity))
        if was is not None and stands is not None:
            differences += _changes(class_, identity, was, stands)
        elif class_ != "column order":
            kind = Kind.DESTROYED if stands is None else Kind.LEFT_BEHIND
            differences.append(Difference(kind, class_, identity))
    return sorted(differences, key=_place)


@contextmanager
def _reading(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[Any]]:
    """Open a cursor that writes every text alike and leaves nothing behind."""
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        if idle:
            cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute(_query("settings.sql"))
        yield cursor


@cache
def _query(name: str) -> bytes:
    return (files("batchgate") / "queries" / name).read_bytes()


class _Class(NamedTuple):
    """One class of objects: its name, the query that lists it, and where that is worth asking."""

    name: str
    query: str
    condition: str


@cache
def _classes(major: int) -> tuple[_Class, ...]:
    """Return the classes that a server of this major has."""
    classes = []
    for path in sorted((files("batchgate") / "queries").iterdir(), key=lambda path: path.name):
        if not path.name.startswith("class_"):
            continue
        query = path.read_text(encoding="utf-8")
        since, where = SINCE.search(query), WHERE.search(query)
        if since is None or int(since[1]) <= major:
            name = path.name.removeprefix("class_").removesuffix(".sql").replace("_", " ")
            classes.append(_Class(name, query, where[1] if where else "true"))
    return tuple(classes)


@cache
def _conditions(classes: tuple[_Class, ...]) -> bytes:
    return ("select " + ", ".join(one.condition for one in classes)).encode()


@cache
def _statement(classes: tuple[_Class, ...]) -> bytes:
    """Join the classes into one statement."""
    parts = [f"select '{one.name}' as class, c.* from (\n{one.query}\n) as c" for one in classes]
    return _query("scope.sql") + "\nunion all\n".join(parts).encode()


def _in_order(attributes: dict[str, Json]) -> dict[str, Json]:
    """Sort what the server keeps as a set in the order of its making."""
    return {
        name: sorted(set(value)) if name in UNORDERED and isinstance(value, list) else value
        for name, value in attributes.items()
    }


def _changes(
    class_: str, identity: str, was: Attributes, stands: Attributes
) -> Iterator[Difference]:
    for name in sorted(was.keys() | stands.keys()):
        before, after = was.get(name), stands.get(name)
        if before != after:
            note = _note(class_, name, before, after, stands)
            yield Difference(Kind.CHANGED, class_, identity, name, before, after, note)


def _note(class_: str, attribute: str, before: Json, after: Json, stands: Attributes) -> str:
    """Say why a change belongs to a class of its own; most do not and get no note."""
    if class_ == "column order":
        return "seen by select *, copy and row types only"
    if before is None or after is None:
        return ""
    if (class_, attribute) == ("type", "labels") and _within(before, after):
        return "labels of an enum cannot be dropped"
    if (class_, attribute) == ("routine", "body") and stands["language"] in SPELLED_FREELY:
        return "white space and comments only" if _tokens(before) == _tokens(after) else ""
    if attribute == "default" and _froze_the_clock(before, after):
        return "the clock at the time of the statement"
    return ""


def _froze_the_clock(before: str, after: str) -> bool:
    """Tell whether two defaults differ only in a time, and the later one is about now."""
    now = datetime.now(UTC).date()
    days = {(now + timedelta(days=days)).isoformat() for days in (-1, 0, 1)}
    same = CLOCK.sub("clock", before) == CLOCK.sub("clock", after)
    return same and all(day in days for day in CLOCK.findall(after))


def _within(few: list[str], many: list[str]) -> bool:
    """Tell whether many holds all of few in their order."""
    rest = iter(many)
    return all(label in rest for label in few)


def _tokens(body: str) -> list[str]:
    return [token[0] for token in TOKEN.finditer(body) if token["skip"] is None]


def _place(difference: Difference) -> tuple[bool, int, str, str, str]:
    class_ = difference.class_
    rank = WHOLES_FIRST.index(class_) if class_ in WHOLES_FIRST else len(WHOLES_FIRST)
    return difference.soft, rank, class_, difference.identity, difference.attribute or ""


def _readable(value: Json) -> str:
    """Write a value on one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "{" + ", ".join(_readable(item) for item in value) + "}"
    if isinstance(value, dict):
        return _readable([f"{name}: {_readable(value[name])}" for name in sorted(value)])
    return " ".join(str(value).split())


def _excerpts(before: str, after: str, width: int = 160) -> tuple[str, str]:
    """Cut two long texts to where they begin to differ."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    shared = sum(1 for _ in pairs)
    start = max(0, shared - width // 4) if max(len(before), len(after)) > width else 0
    return _excerpt(before, start, width), _excerpt(after, start, width)


def _excerpt(text: str, start: int, width: int) -> str:
    head = "…" if start else ""
    tail = "…" if len(text) > start + width else ""
    return head + text[start : start + width] + tail
