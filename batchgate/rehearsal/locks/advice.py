"""The safe way to write what holds up others while it works, in the batch's own names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from batchgate.reading import read_query
from batchgate.rehearsal.locks.growth import Statement
from batchgate.sqltext import words

_LINES = 16
_APART = "Outside a transaction, in migration.online.sql:"
_REFRESH = "Readers go on, given a unique index on it:"
_OF_PARTITIONS = (
    "First `create index … on only` the partitioned table, then on each partition `create index"
    " concurrently …`, then `alter index … attach partition …`."
)
_NOT_AT_ONCE = "In two transactions: the second reads the rows after the first's lock is gone:"
_CONCURRENTLY = re.compile(
    r"\A(create\s+(?:unique\s+)?index|reindex\s+(?:\([^()]*\)\s*)?\w+|refresh\s+materialized\s+view)\b",
    re.IGNORECASE,
)
# A name of an index that stands alone; in front of it is what it is made in, which it does not say.
_INDEX = re.compile(
    r"\Acreate\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?"
    r'((?!on\b)(?:"[^"]+"|\w+))\s+on\s+',
    re.IGNORECASE,
)
_REWRITES = {
    "column type": "Add a column of the new type, have a trigger fill it for new rows, fill it for"
    " old rows in batches that commit, then swap the names in a short transaction.",
    "values worked out row by row": "Add the column without its default, and as the base type where"
    " its type is a domain with a check; then `alter column … set default …` for new rows, a check"
    " `not valid` in place of the domain's, and fill the old rows in batches that commit.",
    "vacuum full": "Let plain `vacuum` free the room for new rows, or plan a quiet hour.",
    "cluster": "Order what is read by an index, or plan a quiet hour.",
    "tablespace": "Plan a quiet hour; `create index concurrently … tablespace …` moves an index.",
}
_ATTACH = (
    "First `add constraint … check (…) not valid` with the partition's bounds and `validate"
    " constraint`, each in a transaction of its own: then ATTACH PARTITION needs no scan."
)
_COMMIT_FIRST = (
    "Commit before it, or do it first: what {since} locks stays locked until the commit."
)
_SHORT = (
    "Work first and without the lock, in batches that commit; take the lock in a transaction of"
    " its own that begins with `set local lock_timeout = '2s';` and is tried again."
)


class Definition(NamedTuple):
    """An index, a constraint or a column that must not be null."""

    kind: str
    table: str
    name: str
    text: str


@dataclass(frozen=True)
class Definitions:
    """All of them at one moment."""

    each: frozenset[Definition]

    def __sub__(self, other: "Definitions") -> "Definitions":
        """Return what does not stand at the other moment."""
        return Definitions(self.each - other.each)


def read_definitions(observer: psycopg.Connection[Any]) -> Definitions:
    """Read what stands now, under qualified names."""
    with observer.transaction(), observer.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("select pg_catalog.set_config('search_path', '', true)")
        rows = cursor.execute(read_query("definitions.sql")).fetchall()
    return Definitions(frozenset(Definition(*row) for row in rows))


def safe_ways(guilty: Sequence[Statement], made: Definitions) -> str:
    """Return how each of the statements is written safely, ready to be pasted where it can be."""
    lines = list(dict.fromkeys(line for one in guilty for line in _ways(one, made)))
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], "…"]
    return "\n".join([*lines, "Where a table stays small, --locked-rows says how small."])


def _ways(statement: Statement, made: Definitions) -> Iterator[str]:
    text = " ".join(statement.work.sql.split())
    beside = _CONCURRENTLY.sub(r"\1 concurrently", text, count=1)
    if any(held.kind == "partitioned table" for held in statement.work.taken) and beside != text:
        yield _OF_PARTITIONS
        return
    if beside != text and "--" not in text:
        yield _REFRESH if beside.lower().startswith("refresh") else _APART
        if name := _INDEX.match(beside):
            yield f"  drop index concurrently if exists {name[1]};  -- an interrupted one"
        yield f"  {beside};"
        return
    found = [line for each in _mentioned(statement, made) for line in _of_definition(each, made)]
    found += [
        _REWRITES[why]
        for growth in statement.working
        if (why := (growth.many or growth.few).rewritten) in _REWRITES
    ]
    if "attach" in words(text):
        found.append(_ATTACH)
    held = statement.stopping
    if held and held not in statement.work.taken:
        found = [_COMMIT_FIRST.format(since=statement.work.held[held]), *found]
    yield from found or [_SHORT]


def _mentioned(statement: Statement, made: Definitions) -> Iterator[Definition]:
    """Find what a statement made: by its name or, where the server gave that, by its kind."""
    text = statement.work.sql.lower()
    tables = {growth.table for growth in statement.working}
    tables |= {held.relation for held in statement.work.taken}
    spoken = {"constraint f": "references", "constraint c": "check", "constraint u": "unique"}
    spoken |= {"constraint p": "primary", "constraint x": "exclude"}
    for each in sorted(made.each):
        name = each.name.rpartition(".")[2].strip('"').lower()
        if each.table not in tables:
            continue
        if each.kind == "not null":
            named = name in text and "not null" in text
        else:
            named = name in text or ("add" in text and spoken.get(each.kind, " ") in words(text))
        if named:
            yield each


def _of_definition(each: Definition, made: Definitions) -> Iterator[str]:
    """Return the safe way to make one index, constraint or column that must not be null."""
    if each.kind in ("constraint f", "constraint c"):
        text = each.text.removesuffix(" NOT VALID")
        yield _NOT_AT_ONCE
        yield f"  alter table {each.table} add constraint {each.name} {text} not valid;"
        yield f"  alter table {each.table} validate constraint {each.name};"
    elif each.kind in ("constraint u", "constraint p"):
        word = "unique" if each.kind.endswith("u") else "primary key"
        index = _index_of(each, made)
        yield _APART
        yield f"  {index};"
        adding = f"alter table {each.table} add constraint {each.name}"
        yield f"  {adding} {word} using index {each.name};"
    elif each.kind == "constraint x":
        yield f"An exclusion constraint such as {each.name} is always built under the lock: plan"
        yield "  a quiet hour, or make it with the table while that is empty."
    elif each.kind == "index" and not _backs_constraint(each, made):
        yield _APART
        yield f"  {_beside(each.text)};"
    elif each.kind == "not null":
        helper = _unquoted(f"{each.table.rpartition('.')[2]}_{each.name}_present")
        yield "In four transactions, of which only the second reads the table:"
        yield (
            f"  alter table {each.table} add constraint {helper}"
            f" check ({each.name} is not null) not valid;"
        )
        yield f"  alter table {each.table} validate constraint {helper};"
        yield f"  alter table {each.table} alter column {each.name} set not null;"
        yield f"  alter table {each.table} drop constraint {helper};"


def _index_of(constraint: Definition, made: Definitions) -> str:
    """Return how the index of a constraint is made beforehand."""
    name = f"{constraint.table.rpartition('.')[0]}.{constraint.name}"
    texts = [each.text for each in made.each if (each.kind, each.name) == ("index", name)]
    return _beside(texts[0]) if texts else "create unique index concurrently …"


def _backs_constraint(index: Definition, made: Definitions) -> bool:
    bare = index.name.rpartition(".")[2]
    kinds = ("constraint u", "constraint p", "constraint x")
    return any(
        each.kind in kinds and (each.table, each.name) == (index.table, bare) for each in made.each
    )


def _beside(definition: str) -> str:
    return re.sub(r"\b(INDEX)\b", r"\1 CONCURRENTLY", definition, count=1)


def _unquoted(name: str) -> str:
    bare = name.replace('"', "")
    return bare if re.fullmatch(r"[a-z_][a-z0-9_]*", bare) else f'"{bare}"'
