"""From what a batch changed to mutants: the same schema, damaged in one point each."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from psycopg import sql

from batchgate.differences import Snapshot
from batchgate.mutation.damage import Change, Mutant, Standing, words
from batchgate.mutation.definitions import bare, of_column, of_table
from batchgate.mutation.shapes import of_columns, of_constraints, of_indexes, of_types
from batchgate.mutation.undoing import brought_back
from batchgate.wholes import Attributes

# How objects are dropped, by the names under which the snapshot lists them.
_DROPS = {
    "access method": "drop access method {name} cascade",
    "cast": "drop cast ({name}) cascade",
    "conversion": "drop conversion {name} cascade",
    "event trigger": "drop event trigger {name} cascade",
    "extension": "drop extension {name} cascade",
    "foreign data wrapper": "drop foreign data wrapper {name} cascade",
    "foreign server": "drop server {name} cascade",
    "language": "drop language {name} cascade",
    "operator": "drop operator {name} cascade",
    "policy": "drop policy {name} cascade",
    "publication": "drop publication {name} cascade",
    "routine": "drop routine {name} cascade",
    "rule": "drop rule {name} cascade",
    "schema": "drop schema {name} cascade",
    "statistics": "drop statistics {name} cascade",
    "text search configuration": "drop text search configuration {name} cascade",
    "text search dictionary": "drop text search dictionary {name} cascade",
    "text search parser": "drop text search parser {name} cascade",
    "text search template": "drop text search template {name} cascade",
    "trigger": "drop trigger {name} cascade",
}
_COMMENTED = re.compile(
    r"(?:(?:foreign )?table |materialized view |view |composite type )?(?P<column>column) .+"
    r"|(?:table )?(?P<constraint>constraint) .+"
    r"|(?P<whole>table|view|materialized view|sequence|index|function|procedure|schema|type"
    r"|trigger|policy|rule) .+",
    re.DOTALL,
)
_GRANTED_ON = {"relation": "table", "routine": "routine", "schema": "schema", "type": "type"}
_GRANT = re.compile(r'(?P<to>(?:"(?:[^"]|"")*"|[^"=])*)=(?P<what>[^/]*)/(?P<by>.*)', re.DOTALL)


def mutants_of(before: Snapshot, after: Snapshot) -> list[Mutant]:
    """Return a mutant for each point of what differs, those of an object side by side."""
    return [
        *(mutant for change in _changes(before, after) for mutant in _damages(change)),
        *brought_back(before.facts, after.facts),
    ]


def name_parts(mutant: Mutant) -> tuple[str, str]:
    """Return the bare names of what a mutant damages, and of the table it belongs to, if any."""
    class_, identity = mutant.key
    if class_ == "column":
        table, column = of_column(identity)
        return bare(column), bare(table)
    name, table = of_table(identity)
    return bare(name), bare(table)


def table_of(mutant: Mutant, now: Attributes) -> str:
    """Return the table whose part a mutant damages, or nothing."""
    class_, identity = mutant.key
    match class_:
        case "column":
            return of_column(identity)[0]
        case "index":
            return str(now["table"])
        case "constraint" | "trigger" | "policy" | "rule":
            return of_table(identity)[1]
    return ""


def untried(before: Snapshot, after: Snapshot) -> Counter[str]:
    """Count by class what differs and no mutant damages."""
    tried = {mutant.key for mutant in mutants_of(before, after)}
    changes = {change.key: change for change in _changes(before, after)}
    return Counter(
        key[0]
        for key, change in changes.items()
        if key not in tried and not change.is_told_elsewhere
    )


def _changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    around = Standing(after.facts)
    for key in sorted(after.facts):
        was, now = before.facts.get(key), after.facts[key]
        if was != now:
            yield Change(key, was, now, around)


def _damages(change: Change) -> Iterator[Mutant]:
    if change.key[0] == "view":
        yield from _of_views(change)
    elif not change.is_told_elsewhere:
        yield from _DAMAGES.get(change.key[0], _of_named)(change)
        yield from _of_grants(change)


def _of_named(change: Change) -> Iterator[Mutant]:
    """Drop an object that is added."""
    drop = _DROPS.get(change.key[0])
    if change.added and drop:
        yield change.mutant(" dropped", None, words(drop, name=change.name))


def _of_collations(change: Change) -> Iterator[Mutant]:
    name = change.name.rpartition(" for ")[0] or change.name
    if change.added:
        yield change.mutant(" dropped", None, words("drop collation {name} cascade", name=name))


def _of_relations(change: Change) -> Iterator[Mutant]:
    kind, name = str(change.now["kind"]), change.name
    if change.added:
        what = {"partitioned table": "table", "composite type": "type"}.get(kind, kind)
        drop = words("drop {what} {name} cascade", what=what, name=name)
        yield change.mutant(" dropped", None, drop)
    if change.now["row security"] and change.has("row security"):
        off = words("alter table {name} disable row level security", name=name)
        yield change.mutant(": row security disabled", "row security", off, required=False)


def _of_views(change: Change) -> Iterator[Mutant]:
    """Let a view that was replaced say again what it said; an added one goes with its relation."""
    kind = change.around.attributes("relation", change.name).get("kind")
    if change.was and change.has("definition") and kind == "view":
        was = str(change.was["definition"])
        back = words("create or replace view {name} as {was}", name=change.name, was=was)
        yield change.mutant(": as before the batch", "definition", back, required=False)


def _of_routines(change: Change) -> Iterator[Mutant]:
    yield from _of_named(change)
    if not change.has("body"):
        return
    body = "update pg_catalog.pg_proc set prosrc = {} where oid = {}::regprocedure"
    if change.was and change.was["language"] == change.now["language"]:
        was = sql.SQL(body).format(sql.Literal(change.was["body"]), sql.Literal(change.name))
        yield change.mutant(": body as before the batch", "body", was, required=False)
    elif change.now["language"] == "plpgsql":
        result = change.now["result"] or "void"
        gives_rows = result.startswith(("SETOF ", "TABLE("))
        gives_nothing = gives_rows or result == "void" or "OUT " in change.now["arguments"]
        empty = "begin return; end" if gives_nothing else "begin return null; end"
        none = sql.SQL(body).format(sql.Literal(empty), sql.Literal(change.name))
        yield change.mutant(": body emptied", "body", none, required=False)


def _of_triggers(change: Change) -> Iterator[Mutant]:
    yield from _of_named(change)
    trigger, table = of_table(change.name)
    if change.has("enabled") and change.now["enabled"] != "D":
        off = words("alter table {table} disable trigger {it}", table=table, it=trigger)
        yield change.mutant(": disabled", "enabled", off, required=False)


def _of_comments(change: Change) -> Iterator[Mutant]:
    if found := _COMMENTED.fullmatch(change.name):
        what = next(word for word in found.groups() if word)
        name = change.name.partition(f"{what} ")[2]
        none = words("comment on {what} {name} is null", what=what, name=name)
        yield change.mutant(" dropped", None, none, required=False)


def _of_grants(change: Change) -> Iterator[Mutant]:
    """Revoke what others than the owner were given beyond what everyone has from the start."""
    what = _GRANTED_ON.get(change.key[0])
    earlier = (change.was or {}).get("acl") or ()
    for entry in (change.now.get("acl") or ()) if what else ():
        grant = _GRANT.fullmatch(entry)
        from_the_start = what in ("routine", "type") and entry.startswith("=")
        if not grant or entry in earlier or from_the_start or grant["to"] == grant["by"]:
            continue
        to = grant["to"] or "public"
        revoke = words(
            "revoke all on {what} {name} from {to} cascade",
            what=str(what),
            name=change.name,
            to=to,
        )
        yield change.mutant(f": grant to {to} revoked", "acl", revoke, required=False)


_DAMAGES: Mapping[str, Callable[[Change], Iterator[Mutant]]] = {
    "collation": _of_collations,
    "column": of_columns,
    "comment": _of_comments,
    "constraint": of_constraints,
    "index": of_indexes,
    "relation": _of_relations,
    "routine": _of_routines,
    "trigger": _of_triggers,
    "type": of_types,
}
