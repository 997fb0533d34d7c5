"""How columns, constraints, indexes and types are damaged: their shape, a point at a time."""

from collections.abc import Callable, Iterator, Sequence

from psycopg import sql

from batchgate.mutation.damage import Change, Mutant, Statement, words
from batchgate.mutation.definitions import (
    check_made_true,
    foreign_key_actions,
    of_column,
    of_table,
    read_index,
    with_other_action,
)


def of_columns(change: Change) -> Iterator[Mutant]:
    """Drop a column, or take from it what it demands or gives by itself."""
    table, column = of_column(change.name)
    now = change.now

    def alter(what: str, **said: str) -> sql.Composed:
        return words(f"alter table {{table}} {what}", table=table, column=column, **said)

    if change.added:
        yield change.mutant(" dropped", None, alter("drop column {column} cascade"))
    held = bool(now["identity"]) or (table, column) in change.around.primary
    if now["not null"] and change.has("not null") and not held:
        lift = alter("alter column {column} drop not null")
        yield change.mutant(": not null lifted", "not null", lift)
    if now["default"] is not None and change.has("default") and not now["generated"]:
        drop = alter("alter column {column} drop default")
        yield change.mutant(": default dropped", "default", drop)
    if now["identity"] and change.has("identity"):
        drop = alter("alter column {column} drop identity")
        yield change.mutant(": identity dropped", "identity", drop, required=False)
    if now["generated"] == "s" and change.has("generated"):
        drop = alter("alter column {column} drop expression")
        yield change.mutant(": generation dropped", "generated", drop, required=False)
    if change.was and change.has("type"):
        was = str(change.was["type"])
        back = alter("alter column {column} type {was} using {column}::text::{was}", was=was)
        yield change.mutant(f": type {was} as before", "type", back, required=False)


def of_constraints(change: Change) -> Iterator[Mutant]:
    """Drop a constraint, or put a weaker one of the same name in its place."""
    if not (change.has("definition") or change.has("validated")):
        return
    name, owner = of_table(change.name)
    is_domain = not change.around.attributes("relation", owner)
    said = {"what": "domain" if is_domain else "table", "owner": owner, "name": name}
    definition, kind = str(change.now["definition"]), str(change.now["type"])
    drop = words("alter {what} {owner} drop constraint {name} cascade", **said)

    def again(definition: str) -> tuple[Statement, Statement]:
        add = "alter {what} {owner} add constraint {name} {definition}"
        return drop, words(add, definition=definition, **said)

    yield change.mutant(" dropped", None, drop)
    if kind == "c":
        true = again(check_made_true(definition))
        yield change.mutant(" made true", "definition", *true, may_be_equivalent=True)
    if kind in "cf" and change.now["validated"]:
        late = again(f"{definition} NOT VALID")
        yield change.mutant(" made not valid", "validated", *late, required=kind == "c")
    if kind == "f":
        yield from _of_actions(change, definition, again)
    index = change.around.attributes("index", str(change.now["index"]))
    if kind in "pux" and index:
        plain = sql.SQL(str(read_index(str(index["definition"])).plain()))
        yield change.mutant(" made a plain index", None, drop, plain)


def _of_actions(
    change: Change, definition: str, again: Callable[[str], Sequence[Statement]]
) -> Iterator[Mutant]:
    """Let a foreign key act otherwise; on update it is only asked for where it says something."""
    for event, action in foreign_key_actions(definition).items():
        other, changed = with_other_action(definition, event)
        asked = event == "DELETE" or action != "NO ACTION"
        damage = f": on {event.lower()} {other.lower()} instead of {action.lower()}"
        yield change.mutant(damage, "definition", *again(changed), required=asked)


def of_indexes(change: Change) -> Iterator[Mutant]:
    """Drop an index, or put one of the same name in its place that holds or sorts otherwise."""
    if not (change.has("definition") or change.has("valid")):
        return
    drop = words("drop index {name} cascade", name=change.name)
    index = read_index(str(change.now["definition"]))
    yield change.mutant(" dropped", None, drop)
    if index.unique:
        yield change.mutant(": made plain", "unique", drop, sql.SQL(str(index.plain())))
    if index.predicate:
        for damage, other in (
            (": predicate removed", index.unconditional()),
            (": predicate negated", index.negated()),
        ):
            yield change.mutant(damage, "definition", drop, sql.SQL(str(other)))
    for place, key in enumerate(index.keys if index.sorts else ()):
        flipped = sql.SQL(str(index.flipped(place)))
        # An index on a single key is read in either direction.
        asked = len(index.keys) > 1 or " DESC" in key
        damage = f": direction of {key} flipped"
        yield change.mutant(damage, "definition", drop, flipped, required=asked)
    invalid = sql.SQL(
        "update pg_catalog.pg_index set indisvalid = false where indexrelid = {}::regclass"
    ).format(sql.Literal(change.name))
    yield change.mutant(": made invalid", "valid", invalid, required=False)


def of_types(change: Change) -> Iterator[Mutant]:
    """Drop a type, take a label from it, or what it demands or gives by itself."""
    name, now = change.name, change.now
    if change.added:
        yield change.mutant(" dropped", None, words("drop type {name} cascade", name=name))
    earlier = (change.was or {}).get("labels") or ()
    for label in now["labels"] or ():
        if label not in earlier:
            damage = f": label {label} missing"
            yield change.mutant(damage, "labels", *_without_label(change, label))
    if now["kind"] == "d" and now["not null"] and change.has("not null"):
        lift = words("alter domain {name} drop not null", name=name)
        yield change.mutant(": not null lifted", "not null", lift)
    if now["kind"] == "d" and now["default"] is not None and change.has("default"):
        drop = words("alter domain {name} drop default", name=name)
        yield change.mutant(": default dropped", "default", drop)


def _without_label(change: Change, label: str) -> Iterator[Statement]:
    """Take a label away, for which there is no DDL, and the defaults that name it before."""
    named = f"{sql.Literal(label).as_string()}::{change.name}"
    for (class_, identity), facts in sorted(change.around.facts.items()):
        if class_ == "column" and facts["default"] == named:
            table, column = of_column(identity)
            drop = "alter table {table} alter column {column} drop default"
            yield words(drop, table=table, column=column)
    yield sql.SQL(
        "delete from pg_catalog.pg_enum where enumtypid = {}::regtype and enumlabel = {}"
    ).format(sql.Literal(change.name), sql.Literal(label))
