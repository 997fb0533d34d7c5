"""Read what stands in a database's catalogs, every class of object by a query of its own.

Every class has a file ``queries/class_<name>.sql`` that yields one row an object: first its
qualified name, never an oid, then its attributes. A file that needs a catalog which older servers
lack says ``-- since: <major>`` at its head, and a line that needs a column says it at its end, or
``-- until: <major>``. One whose class most databases have nothing of says ``-- where:
<condition>`` and is asked only there, since planning it costs more than asking.
"""

import re
from collections.abc import Mapping, Sequence, Set
from functools import cache
from importlib.resources import files
from itertools import compress
from typing import Any, NamedTuple

import psycopg

from batchgate.differences import Difference, Kind, Snapshot, collapse, compare
from batchgate.reading import read_query, reading
from batchgate.wholes import Attributes, Key

__all__ = ["Difference", "Kind", "Snapshot", "collapse", "compare", "take_snapshot"]

_PREPARED = b"select name from pg_catalog.pg_prepared_statements"
_UNORDERED = frozenset({"acl", "options", "roles", "settings", "foreign options", "tags"})
_SINCE = re.compile(r"-- (?:until: \d+, )?since: (\d+)", re.MULTILINE)
_UNTIL = re.compile(r"-- (?:since: \d+, )?until: (\d+)", re.MULTILINE)
_WHERE = re.compile(r"^-- where: (.+)$", re.MULTILINE)


def take_snapshot(connection: psycopg.Connection[Any], like: Snapshot | None = None) -> Snapshot:
    """Read every class, in a transaction of our own as of one moment.

    What stands in `like` as it stands now is kept only once: of long chains there are many.
    An open transaction of the caller is read through a savepoint that is rolled back, which
    gives back its settings and the locks that reading took. What stays in the session are
    prepared statements: planning would take as long as reading a small schema.
    """
    facts: dict[Key, Attributes] = {}
    known = like.facts if like else {}
    classes = _classes(connection.info.server_version // 10000)
    with reading(connection) as cursor:
        # Any of them may be gone by now.
        prepared = {name for (name,) in cursor.execute(_PREPARED, prepare=False)}
        stands = _ask(cursor, [_conditions(classes)], prepared).fetchone() or ()
        asked = tuple(compress(classes, stands))
        _ask(cursor, [one.query for one in asked], prepared)
        for one in asked:
            _add(facts, one.name, cursor, known)
            cursor.nextset()
    return like if like and facts == known else Snapshot(facts)


def _add(
    facts: dict[Key, Attributes],
    class_: str,
    cursor: psycopg.Cursor[Any],
    known: Mapping[Key, Attributes],
) -> None:
    """Add the rows of a class: a name, and whatever columns follow it."""
    names = _column_names(cursor)[1:]
    unordered = [place for place, name in enumerate(names) if name in _UNORDERED]
    twins = []
    for identity, *values in cursor.fetchall():
        if identity is None:
            # Of what another session has dropped meanwhile the server knows no name.
            continue
        for place in unordered:
            # The server keeps as a list, in the order of its making, what is a set.
            if (value := values[place]) and isinstance(value, list):
                values[place] = sorted(set(value))
        attributes = known.get((class_, identity))
        if attributes is None or [*attributes.values()] != values:
            attributes = dict(zip(names, values, strict=True))
        if (class_, identity) in facts:
            twins.append((identity, attributes))
        else:
            facts[class_, identity] = attributes
    for identity, attributes in twins:
        number = 2
        while (class_, f"{identity} ({number})") in facts:
            number += 1
        facts[class_, f"{identity} ({number})"] = attributes


def _column_names(cursor: psycopg.Cursor[Any]) -> list[str]:
    """Return the names of a result's columns; the cursor's description looks up their types."""
    result = cursor.pgresult
    assert result is not None, "every class is a query"
    return [(result.fname(column) or b"").decode() for column in range(result.nfields)]


class _Query(NamedTuple):
    """One query as a prepared statement: its name there, and how to make and to run it."""

    name: str
    prepare: bytes
    execute: bytes

    @classmethod
    def of(cls, name: str, text: str) -> "_Query":
        """Name a query."""
        name = f"batchgate_{name}"
        return cls(name, f"prepare {name} as\n{text}".encode(), f"execute {name}".encode())


class _Class(NamedTuple):
    """One class of objects: the query that lists it, and where that is worth asking."""

    name: str
    condition: str
    query: _Query


def _ask(
    cursor: psycopg.Cursor[Any], queries: Sequence[_Query], prepared: Set[str]
) -> psycopg.Cursor[Any]:
    """Run queries, preparing those that the session has not; a result set follows for each.

    They go together: where many processes share few cores, each way there and back may have to
    wait its turn.
    """
    if missing := [query.prepare for query in queries if query.name not in prepared]:
        cursor.execute(b";\n".join(missing), prepare=False)
    return cursor.execute(b";\n".join(query.execute for query in queries), prepare=False)


@cache
def _classes(major: int) -> tuple[_Class, ...]:
    """Return the classes that a server of this major has."""
    classes = []
    for path in sorted((files("batchgate") / "queries").iterdir(), key=lambda path: path.name):
        if not path.name.startswith("class_"):
            continue
        text = path.read_text(encoding="utf-8")
        head, _, _ = text.partition("\nselect")
        since, where = _SINCE.search(head), _WHERE.search(head)
        if since is None or int(since[1]) <= major:
            name = path.name.removeprefix("class_").removesuffix(".sql")
            query = _Query.of(name, _complete(text, major))
            classes.append(_Class(name.replace("_", " "), where[1] if where else "true", query))
    return tuple(classes)


@cache
def _conditions(classes: tuple[_Class, ...]) -> _Query:
    return _Query.of("conditions", "select " + ", ".join(one.condition for one in classes))


def _complete(query: str, major: int) -> str:
    """Leave out the lines that are of other majors, and put what a query draws on before it."""
    lines = [line for line in query.splitlines() if _within(line, major)]
    return read_query("scope.sql").decode() + "\n".join(lines)


def _within(line: str, major: int) -> bool:
    since, until = _SINCE.search(line), _UNTIL.search(line)
    return not (since and major < int(since[1])) and not (until and major > int(until[1]))
