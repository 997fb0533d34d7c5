"""Which grants a role lacks for a suite's gates, as statements to paste."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from batchgate.reach.names import (
    common_tables,
    plain_names,
    schemas_in_strings,
    speaks_of_all,
    spoken_names,
)
from batchgate.reach.reaches import decision_of
from batchgate.reach.walk import (
    ROUNDS,
    Part,
    Source,
    Thing,
    look_up,
    schemas_within,
    search_path,
)
from batchgate.reading import read_query


class _Spoken(NamedTuple):
    """A source, and what it needs of the relations it reads: some columns, all, or nothing.

    What a view reads is its owner's business, unless it is one with security_invoker; what it
    calls is always that of the user.
    """

    source: Source
    words: frozenset[str] = frozenset()
    whole: bool = False
    ours: bool = True


class _Needs(NamedTuple):
    """What is to be asked of the server about privileges."""

    relations: list[Mapping[str, object]]
    functions: list[Mapping[str, object]]


def missing_grants(
    connection: psycopg.Connection[Any], suite_sql: Sequence[str]
) -> tuple[str, ...]:
    """Return the statements after which the current user may run these texts; none if it may now.

    The texts are gates, lists of tables as in `of`, and expressions as in `present`; names are
    looked up by the search path of the open transaction. On a standby the statements are to be run
    on its primary. One may have a line of comment before it.
    """
    schemas = search_path(connection)
    needs = _needs(connection, [_read(text, schemas) for text in suite_sql])
    asked = {
        "relations": json.dumps(needs.relations, ensure_ascii=False),
        "functions": json.dumps(needs.functions, ensure_ascii=False),
        "schemas": sorted({schema for text in suite_sql for schema in schemas_in_strings(text)}),
    }
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(read_query("grants.sql"), asked, prepare=False)
        return tuple(line for (line,) in cursor)


def _read(text: str, schemas: tuple[str, ...]) -> _Spoken:
    if listed := plain_names(text):
        return _Spoken(Source((), schemas, listed))
    spoken, own = spoken_names(text), common_tables(text)
    meant = [
        name
        for name in spoken
        if name.called or (name.reads and (name.schema or name.name not in own))
    ]
    words = frozenset(name.name for name in spoken)
    return _Spoken(Source((), schemas, meant), words, speaks_of_all(text))


def _needs(connection: psycopg.Connection[Any], spoken: Sequence[_Spoken]) -> _Needs:
    """Follow what is spoken of as far as it is run with the user's own rights."""
    needs = _Needs([], [])
    seen: set[tuple[bool, Part]] = set()
    for number in range(ROUNDS):
        following: list[_Spoken] = []
        for thing in _meant(look_up(connection, [each.source for each in spoken]), spoken):
            by, part = spoken[thing.source], (thing.kind, thing.number)
            named = not any((kind, each) == part for kind, each in by.source.parts)
            if thing.kind == "function":
                call = f"{number} {thing.source} {thing.name if named else thing.number}"
                needs.functions.append({"number": thing.number, "named": named, "call": call})
            elif by.ours:
                more = {"whole": by.whole, "words": sorted(by.words)}
                needs.relations.append({"number": thing.number, "named": named, **more})
            if (by.ours, part) not in seen:
                seen.add((by.ours, part))
                following += _onward(thing, by)
        if not following:
            break
        spoken = following
    return needs


def _meant(things: Sequence[Thing], spoken: Sequence[_Spoken]) -> Iterator[Thing]:
    """Leave out what a gate may not call, and what a name does not mean since another is nearer."""
    for thing in things:
        if thing.kind == "type" or _is_refused(thing):
            continue
        source = spoken[thing.source].source
        namesakes = [
            source.schemas.index(each.schema)
            for each in things
            if each[:2] == thing[:2] and each.name == thing.name and each.schema in source.schemas
        ]
        numbered = any((kind, each) == thing[1:3] for kind, each in source.parts)
        qualified = any(
            (name.name, name.schema) == (thing.name, thing.schema) for name in source.names
        )
        elsewhere = thing.schema not in source.schemas
        if (
            numbered
            or qualified
            or elsewhere
            or source.schemas.index(thing.schema) == min(namesakes)
        ):
            yield thing


def _is_refused(thing: Thing) -> bool:
    decision = decision_of(thing) if thing.kind == "function" else None
    return decision is not None and decision.refused


def _onward(thing: Thing, by: _Spoken) -> Iterator[_Spoken]:
    """Yield what a view or a function does with the rights of whoever uses it."""
    facts, path = thing.facts, (*by.source.path, thing.qualified)
    if thing.kind == "relation":
        if facts["view"]:
            parts = [part for part in thing.parts if part[0] != "type"]
            source = Source(path, by.source.schemas, parts=parts)
            yield _Spoken(source, ours=by.ours and facts["invoker"])
    elif facts["own"] and not facts["definer"]:
        within = schemas_within(thing, by.source)
        body = _read(facts["body"] or "", within)
        parts = [part for part in thing.parts if part[0] != "type"]
        if parts or body.source.names:
            yield body._replace(source=body.source._replace(path=path, parts=parts))
