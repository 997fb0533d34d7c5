"""What a read-only statement could do beyond its transaction, found before anything of it runs.

Functions are judged by ``queries/reach.tsv``: what the server or an extension brings, one line
each. Views and functions in SQL or PL/pgSQL are followed; what cannot be seen is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import psycopg

from batchgate.reach.bodies import why_body, why_settings
from batchgate.reach.names import operators, spoken_names
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

_SERVER = "server"
_ANY = "*"
_STRINGS = "standard_conforming_strings"
_KNOWN_WRAPPERS = ("postgres_fdw_handler", "file_fdw_handler")


@dataclass(frozen=True)
class Reach:
    """One function, or foreign table, that reaches too far, and through what it is reached."""

    function: str
    why: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        through = f", through {' and '.join(self.path)}" if self.path else ""
        return f"{self.function} {self.why}{through}"


class Decision(NamedTuple):
    """What has been decided of a function: refused or not, and why."""

    refused: bool
    why: str


def reaches(connection: psycopg.Connection[Any], *statements: str) -> tuple[Reach, ...]:
    """Return what statements name, however indirectly, that reaches beyond their transaction.

    Names are looked up by the search_path that the open transaction has, those of all statements
    in one query. Nothing of a statement is planned, since planning already calls functions; only
    catalogs are read.
    """
    if connection.info.parameter_status(_STRINGS) == "off":
        return (Reach(_STRINGS, "is off: strings do not end where they seem to", ()),)
    schemas = search_path(connection)
    sources = [_spoken((), schemas, statement) for statement in statements]
    found: dict[tuple[str, str], Reach] = {}
    seen: set[Part] = set()
    for number in count(1):
        following = []
        for thing in look_up(connection, sources):
            if (thing.kind, thing.number) in seen:
                continue
            seen.add((thing.kind, thing.number))
            source = sources[thing.source]
            if why := why_refused(thing):
                key = (thing.qualified, why)
                found.setdefault(key, Reach(thing.qualified, why, source.path))
            elif (onward := _onward(thing, source, seen)) and number == ROUNDS:
                why = "is too deep to be looked into"
                found.setdefault((thing.qualified, why), Reach(thing.qualified, why, source.path))
            elif onward:
                following.append(onward)
        if not following or number == ROUNDS:
            break
        sources = following
    return tuple(found.values())


def _spoken(
    path: tuple[str, ...], schemas: tuple[str, ...], text: str, parts: Sequence[Part] = ()
) -> Source:
    return Source(path, schemas, spoken_names(text), operators(text), parts)


def _onward(thing: Thing, source: Source, seen: set[Part]) -> Source | None:
    """Return what a thing that may be used uses in turn, or None."""
    parts = [(kind, number) for kind, number in thing.parts if (kind, number) not in seen]
    if thing.kind == "function" and (not thing.facts["own"] or decision_of(thing)):
        return None
    text = thing.facts.get("body") or ""
    if not text and not parts:
        return None
    # A type is passed through in silence: nobody wrote a call of it.
    path = source.path if thing.kind == "type" else (*source.path, thing.qualified)
    return _spoken(path, schemas_within(thing, source), text, parts)


def why_refused(thing: Thing) -> str:
    """Return why a thing must not be used by a gate, or nothing."""
    if thing.kind == "relation":
        return _why_foreign(thing.facts)
    if thing.kind == "type" or not thing.facts["callable"]:
        return ""
    if decision := decision_of(thing):
        return decision.why if decision.refused else ""
    if not thing.facts["own"]:
        return "is volatile, and not known here" if thing.facts["volatile"] else ""
    return _why_own(thing.facts)


def _why_foreign(facts: Mapping[str, Any]) -> str:
    if facts["program"]:
        return "runs a program"
    if facts["foreign"] and facts["handler"] not in _KNOWN_WRAPPERS:
        return f"reads through the foreign-data wrapper {facts['wrapper']}, which is not known here"
    return ""


def _why_own(facts: Mapping[str, Any]) -> str:
    """Say why a function that nothing has been decided of is refused, by how it is written."""
    if why := why_settings(facts["settings"]):
        return why
    language = facts["language"]
    if language in ("sql", "plpgsql"):
        return why_body(facts["body"] or "", language)
    if language == "internal":
        return ""
    if language == "c":
        return "is written in C and volatile, and not known here" if facts["volatile"] else ""
    if not facts["trusted"]:
        return f"is written in {language}, which may do anything"
    return f"is written in {language}, which is not looked into"


def decision_of(thing: Thing) -> Decision | None:
    """Return what has been decided of a function of the server's or an extension's."""
    known, facts = decisions(), thing.facts
    of, name = facts["of"] or "", thing.name
    if not facts["own"]:
        of = _SERVER
    elif facts["same"]:
        of, name = _SERVER, facts["same"]
    for wanted in ((of, name, str(facts["arguments"])), (of, name, _ANY), (of, _ANY, _ANY)):
        if decision := known.get(wanted):
            return decision
    return None


@cache
def decisions() -> Mapping[tuple[str, str, str], Decision]:
    """Return every decision, by extension, function and number of arguments."""
    lines = read_query("reach.tsv").decode().splitlines()[1:]
    found = {}
    for line in lines:
        of, name, arguments, verdict, why = line.split("\t")
        found[of, name, arguments] = Decision(verdict == "refused", why)
    return found
