"""What a batch took away is put back, one thing at a time, where that can be told how."""

from collections.abc import Callable, Iterator, Mapping

from psycopg import sql

from batchgate.mutation.damage import Change, Mutant, Standing, Statement, words
from batchgate.mutation.definitions import of_column, of_table
from batchgate.wholes import Attributes, Key

Facts = Mapping[Key, Attributes]


def brought_back(before: Facts, after: Facts) -> Iterator[Mutant]:
    """Bring back what was dropped, and what columns no longer demand or give; none is required."""
    standing, since = Standing(before), Standing(after)
    for key in sorted(before):
        change = Change(key, None, before[key], standing)
        if change.is_told_elsewhere and key[0] != "view":
            continue
        if key not in after:
            again = _AGAIN[key[0]](change) if key[0] in _AGAIN else None
            if again is not None and _stands(since, change):
                yield change.mutant(" brought back", None, again, required=False)
        elif key[0] == "column":
            yield from _column_again(change, after[key])


def _stands(since: Standing, change: Change) -> bool:
    """Tell whether what an object belongs to is there still; a view is brought back as a view."""
    class_, name = change.key
    if class_ == "column":
        return bool(since.attributes("relation", of_column(name)[0]))
    if class_ in ("constraint", "rule", "trigger"):
        return bool(since.attributes("relation", of_table(name)[1]))
    if class_ in ("index", "statistics"):
        return bool(since.attributes("relation", str(change.now["table"])))
    return True


def _column_again(change: Change, now: Attributes) -> Iterator[Mutant]:
    table, column = of_column(change.name)
    alter = "alter table {table} alter column {column} "
    if change.now["not null"] and not now["not null"]:
        demand = words(alter + "set not null", table=table, column=column)
        yield change.mutant(": not null brought back", "not null", demand, required=False)
    default = change.now["default"]
    if default is not None and now["default"] is None and not change.now["generated"]:
        give = words(alter + "set default {it}", table=table, column=column, it=str(default))
        yield change.mutant(": default brought back", "default", give, required=False)


def _by_definition(change: Change) -> Statement:
    return sql.SQL(str(change.now["definition"]))


def _constraint(change: Change) -> Statement:
    name, table = of_table(change.name)
    add = "alter table {table} add constraint {name} {definition}"
    return words(add, table=table, name=name, definition=str(change.now["definition"]))


def _column(change: Change) -> Statement:
    table, column = of_column(change.name)
    add = "alter table {table} add column {column} {type}"
    return words(add, table=table, column=column, type=str(change.now["type"]))


def _relation(change: Change) -> Statement | None:
    if change.now["kind"] != "table":
        return None
    return words("create table {name} ()", name=change.name)


def _view(change: Change) -> Statement | None:
    if change.around.attributes("relation", change.name).get("kind") != "view":
        return None
    definition = str(change.now["definition"])
    return words("create view {name} as {definition}", name=change.name, definition=definition)


def _routine(change: Change) -> Statement | None:
    now, name = change.now, change.name.partition("(")[0]
    if now["language"] not in ("sql", "plpgsql") or not now["body"] or now["kind"] not in "fp":
        return None
    what, returns = ("function", f"returns {now['result']}") if now["result"] else ("procedure", "")
    create = sql.SQL("create {} {} ({}) {} language {} as {}")
    said = (what, name, str(now["arguments"]), returns, str(now["language"]))
    return create.format(*map(sql.SQL, said), sql.Literal(now["body"]))


_AGAIN: Mapping[str, Callable[[Change], Statement | None]] = {
    "column": _column,
    "constraint": _constraint,
    "index": _by_definition,
    "relation": _relation,
    "routine": _routine,
    "rule": _by_definition,
    "statistics": _by_definition,
    "trigger": _by_definition,
    "view": _view,
}
