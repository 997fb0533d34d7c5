"""What names stand for on a server, and what it calls and reads in turn: one query a round."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from batchgate.reach.names import Name
from batchgate.reach.pieces import split_path
from batchgate.reading import read_query

ROUNDS = 16

# A kind (function, relation or type) and its number in the catalog.
Part = tuple[str, int]


class Thing(NamedTuple):
    """A function, relation or type as the catalog describes it."""

    source: int
    kind: str
    number: int
    schema: str
    name: str
    facts: Mapping[str, Any]
    parts: Sequence[Part]

    @property
    def qualified(self) -> str:
        """Return the name with its schema, as messages print it."""
        return f"{self.schema}.{self.name}"


class Source(NamedTuple):
    """Where names and numbers come from: through what, and where its names are looked up."""

    path: tuple[str, ...]
    schemas: tuple[str, ...]
    names: Sequence[Name] = ()
    signs: Collection[str] = ()
    parts: Sequence[Part] = ()


def search_path(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Return where unqualified names are looked up, schemas without USAGE among them."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        query = "select pg_catalog.current_setting('search_path'), current_user::text"
        path, user = cursor.execute(query.encode(), prepare=False).fetchone() or ("", "")
    return schemas_of(path, user)


def schemas_of(path: str, user: str) -> tuple[str, ...]:
    """Return the schemas that a setting of search_path means to a user, the server's own first."""
    named = (user if schema == "$user" else schema for schema in split_path(path))
    return ("pg_catalog", *named)


def look_up(connection: psycopg.Connection[Any], sources: Sequence[Source]) -> list[Thing]:
    """Ask the catalog, in one query, what all these name."""
    spoken = [(at, name) for at, source in enumerate(sources) for name in source.names]
    signs = [(at, sign) for at, source in enumerate(sources) for sign in source.signs]
    parts = [(at, *part) for at, source in enumerate(sources) for part in source.parts]
    asked = {
        "names": _json([_asked(at, name, sources[at].schemas) for at, name in spoken]),
        "operators": _json([{"source": at, "name": sign} for at, sign in signs]),
        "numbers": _json(
            [{"source": at, "kind": kind, "number": number} for at, kind, number in parts]
        ),
    }
    # Behind a pooler a prepared statement would stay with someone else's session.
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(read_query("reach.sql"), asked, prepare=False)
        return [Thing(*row) for row in cursor]


def _json(asked: Sequence[Mapping[str, object]]) -> str:
    # In a database of encoding SQL_ASCII, jsonb takes letters as they stand but no escapes of them.
    return json.dumps(asked, ensure_ascii=False)


def _asked(source: int, name: Name, schemas: Sequence[str]) -> Mapping[str, object]:
    return {
        "source": source,
        "name": name.name,
        "schema": name.schema,
        "called": name.called,
        "arguments": name.arguments,
        "field": name.inner,
        "path": list(schemas),
    }


def schemas_within(thing: Thing, source: Source) -> tuple[str, ...]:
    """Return where a function's own names are looked up: by its own path, if it sets one."""
    given = thing.facts.get("path")
    return source.schemas if given is None else schemas_of(given, thing.facts["owner"])
