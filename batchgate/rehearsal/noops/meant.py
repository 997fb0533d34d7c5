"""What a statement would have made, had nothing of that name stood: tried out and taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.catalog import Snapshot, take_snapshot
from batchgate.reading import read_query
from batchgate.rehearsal.noops.guards import Guard
from batchgate.serverwords import masked
from batchgate.wholes import Attributes, Key

_RELATIONS = {
    "r": "table",
    "p": "table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "type",
}
_OF_A_SCHEMA = ("statistics", "collation", "type", "domain")
_OF_THE_DATABASE = ("extension", "server", "schema")
_ON_A_TABLE = ("trigger", "rule", "policy")
# No name is put into a statement as it is but these.
_KINDS = {
    kind: sql.SQL(kind)
    for kind in (*_RELATIONS.values(), *_OF_A_SCHEMA, *_OF_THE_DATABASE, *_ON_A_TABLE)
}
_ROLES = {
    "current_user": sql.SQL("current_user"),
    "current_role": sql.SQL("current_user"),
    "session_user": sql.SQL("session_user"),
    "user": sql.SQL("user"),
    "public": sql.SQL("public"),
}
_ASIDE = sql.Identifier("batchgate set this aside")
# A table's own parts take other names while it is only renamed.
_WITHOUT_PARTS = ("relation", "column")


@dataclass(frozen=True)
class Meant:
    """The objects that a statement would have made, or why that could not be tried out.

    `instead` is what bears the name and is no object of that kind at all.
    """

    facts: dict[Key, Attributes]
    refused: str = ""
    instead: Key | None = None


@dataclass(frozen=True)
class _Way:
    """How to get what stands out of the way, and whether its table is emptied first."""

    dropped: bool
    emptied: bool


# Rows that a new constraint refuses say nothing of its definition; some objects cannot be dropped.
_WAYS = [_Way(dropped, emptied) for emptied in (False, True) for dropped in (True, False)]


@contextmanager
def as_owner(session: psycopg.Connection) -> Iterator[None]:
    """Let a file's own session do something as its owner, whatever role the file took."""
    with session.transaction(force_rollback=True):
        session.execute("set local session authorization default")
        session.execute("set local role none")
        session.execute("set local statement_timeout = 0")
        yield


def look(session: psycopg.Connection) -> Snapshot:
    """Take a snapshot through a file's own session, which alone sees what is not committed."""
    with as_owner(session):
        return take_snapshot(session)


def what_is_meant(session: psycopg.Connection, guard: Guard) -> Meant:
    """Take what stands out of a statement's way, let it run, and undo both."""
    if guard.class_ == "label":
        return Meant(_with_label(session, guard))
    if instead := _of_another_kind(session, guard):
        return Meant({}, instead=instead)
    refused = ""
    for way in _WAYS:
        try:
            return Meant(_tried(session, guard, way))
        except psycopg.Error as error:
            message = error.diag.message_primary or str(error).partition("\n")[0]
            refused = refused or masked(message, error.sqlstate or "")
        if session.closed:
            break
    return Meant({}, refused)


def _tried(session: psycopg.Connection, guard: Guard, way: _Way) -> dict[Key, Attributes]:
    with session.transaction(force_rollback=True):
        session.execute("set local client_min_messages = error")
        if way.emptied and guard.on:
            session.execute(sql.SQL("truncate {} cascade").format(sql.Identifier(*guard.on)))
        _take_away(session, guard, way)
        without = look(session).facts
        session.execute(guard.alone.encode())
        stands = look(session).facts
    made = {key: facts for key, facts in stands.items() if without.get(key) != facts}
    if way.dropped or guard.class_ not in ("table", "column"):
        return made
    return {key: facts for key, facts in made.items() if key[0] in _WITHOUT_PARTS}


def _of_another_kind(session: psycopg.Connection, guard: Guard) -> Key | None:
    """Return what bears a relation's name and is one of another kind, such as a view."""
    if guard.class_ not in _RELATIONS.values():
        return None
    found = _one(session, read_query("obstacle.sql"), _names_of(guard))
    if not found or _RELATIONS[found[0]] == guard.class_:
        return None
    return "index" if found[0] in "iI" else "relation", found[-1]


def _names_of(guard: Guard) -> dict[str, str | None]:
    schema = guard.name[-2] if len(guard.name) > 1 else None
    return {"name": guard.name[-1], "schema": schema, "of_table": quoted(guard.on)}


def _with_label(session: psycopg.Connection, guard: Guard) -> dict[Key, Attributes]:
    """Put an enum's label, which nothing takes away, where the statement wants it."""
    name = _one(session, read_query("named_type.sql"), {"name": quoted(guard.on)})
    key = "type", name[0] if name else ""
    facts = dict(look(session).facts.get(key, {}))
    label, *neighbour = guard.name
    labels = list(facts.get("labels") or ())
    if not {label, *neighbour} <= set(labels):
        return {}
    if neighbour:
        before = "before" in guard.words
        if (labels.index(label) < labels.index(neighbour[0])) is not before:
            labels.remove(label)
            labels.insert(labels.index(neighbour[0]) + (not before), label)
    return {key: {**facts, "labels": labels}}


def _take_away(session: psycopg.Connection, guard: Guard, way: _Way) -> None:
    """Drop or rename what bears the name, as the owner of all, whose role the file may not have."""
    statement = _leaving(session, guard, way)
    if statement is None:
        return
    user, role = _one(session, "select session_user::text, nullif(current_setting('role'), 'none')")
    session.execute("set local session authorization default")
    session.execute("set local role none")
    session.execute(statement)
    session.execute(sql.SQL("set local session authorization {}").format(sql.Identifier(user)))
    if role:
        session.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))


def _leaving(session: psycopg.Connection, guard: Guard, way: _Way) -> sql.Composed | None:
    """Write the statement that drops or renames what stands; None where nothing is found."""
    name = sql.Identifier(guard.name[-1])
    if guard.class_ == "column":
        table = sql.Identifier(*guard.on)
        if way.dropped:
            return sql.SQL("alter table {} drop column {} cascade").format(table, name)
        return sql.SQL("alter table {} rename column {} to {}").format(table, name, _ASIDE)
    if guard.class_ in _ON_A_TABLE:
        table, what = sql.Identifier(*guard.on), _KINDS[guard.class_]
        return sql.SQL("drop {} {} on {} cascade").format(what, name, table)
    if guard.class_ == "constraint":
        table = sql.Identifier(*guard.on)
        return sql.SQL("alter table {} drop constraint {} cascade").format(table, name)
    if guard.class_ == "user mapping":
        role = _ROLES.get(guard.name[0], name)
        server = sql.Identifier(*guard.on)
        return sql.SQL("drop user mapping for {} server {}").format(role, server)
    found = _standing(session, guard, name)
    if found is None:
        return None
    # What a schema holds would fall with it, which takes long and proves nothing.
    if way.dropped and guard.class_ != "schema":
        return sql.SQL("drop {} {} cascade").format(*found)
    return sql.SQL("alter {} {} rename to {}").format(*found, _ASIDE)


def _standing(
    session: psycopg.Connection, guard: Guard, name: sql.Identifier
) -> tuple[sql.SQL, sql.Identifier] | None:
    """Return what stands under a name where the statement would make it."""
    if guard.class_ in _OF_THE_DATABASE:
        return _KINDS[guard.class_], name
    names = _names_of(guard)
    if guard.class_ in _OF_A_SCHEMA:
        schema = names["schema"] or _one(session, "select current_schema()::text")[0]
        return _KINDS[guard.class_], sql.Identifier(schema, guard.name[-1])
    found = _one(session, read_query("obstacle.sql"), names)
    return (_KINDS[_RELATIONS[found[0]]], sql.Identifier(*found[1:3])) if found else None


def quoted(name: tuple[str, ...]) -> str | None:
    """Write a name as the server's own functions read it; None for no name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name) or None


def _one(
    session: psycopg.Connection, query: str | bytes, given: dict[str, str | None] | None = None
) -> tuple[str, ...]:
    with session.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(query, given).fetchone()
    return found or ()
