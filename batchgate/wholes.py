"""Which objects are parts of others and fall with them, told by their qualified names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Any
Attributes: TypeAlias = Mapping[str, Json]
Key: TypeAlias = tuple[str, str]
Facts: TypeAlias = Mapping[Key, Attributes]

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".,()]+)'
_NAMES = rf"{_NAME}(?:\.{_NAME})*"
_IN_SCHEMA = (re.compile(rf"({_NAME})\."), ("schema",))
_ON_RELATION = (re.compile(rf"{_NAMES} on ({_NAMES})"), ("relation",))

# Where the name of a part holds those of its wholes, and of which class each of them is.
_NAMED = {
    "collation": _IN_SCHEMA,
    "column": (re.compile(rf"({_NAMES})\.{_NAME}$"), ("relation",)),
    "conversion": _IN_SCHEMA,
    "default privileges": (
        re.compile(rf"of ({_NAME}) for kind .(?: in ({_NAME}))?$"),
        ("role", "schema"),
    ),
    "operator": _IN_SCHEMA,
    "operator class": _IN_SCHEMA,
    "operator family": _IN_SCHEMA,
    "policy": _ON_RELATION,
    "publication schema": (
        re.compile(rf"({_NAME}) in ({_NAME})$"),
        ("schema", "publication"),
    ),
    "publication table": (
        re.compile(rf"({_NAMES}) in ({_NAME})$"),
        ("relation", "publication"),
    ),
    "relation": _IN_SCHEMA,
    "role membership": (re.compile(rf"({_NAME}) in ({_NAME}) by"), ("role", "role")),
    "routine": _IN_SCHEMA,
    "rule": _ON_RELATION,
    "setting": (re.compile(rf"\S+ for ({_NAME})"), ("role",)),
    "text search configuration": _IN_SCHEMA,
    "text search dictionary": _IN_SCHEMA,
    "text search parser": _IN_SCHEMA,
    "text search template": _IN_SCHEMA,
    "trigger": _ON_RELATION,
    "type": _IN_SCHEMA,
    "user mapping": (re.compile(rf"{_NAME} on ({_NAME})$"), ("foreign server",)),
}
# Classes that say more of what another class lists under the same name.
ASPECTS = {
    "aggregate": "routine",
    "column order": "relation",
    "foreign table": "relation",
    "inheritance": "relation",
    "role password": "role",
    "sequence": "relation",
    "subscription connection": "subscription",
    "view": "relation",
}
# What pg_identify_object calls our classes, where it has other words for them.
_DESCRIBED_AS = {
    "table": "relation",
    "view": "relation",
    "materialized view": "relation",
    "foreign table": "relation",
    "sequence": "relation",
    "composite type": "relation",
    "table column": "column",
    "view column": "column",
    "materialized view column": "column",
    "foreign table column": "column",
    "composite type column": "column",
    "table constraint": "constraint",
    "domain constraint": "constraint",
    "function": "routine",
    "procedure": "routine",
    "aggregate": "routine",
    "statistics object": "statistics",
    "server": "foreign server",
    "foreign-data wrapper": "foreign data wrapper",
}
_ON = re.compile(rf"({_NAME}) on ({_NAMES})$")
_GUARD = re.compile(rf"{_NAMES} on {_NAMES} for ({_NAME} on {_NAMES})$")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_WORD = re.compile(r'"(?:[^"]|"")*"|\w+')
_DESCRIBED = re.compile(
    rf"(?:{_NAME} on )??({'|'.join(sorted(_DESCRIBED_AS, key=len, reverse=True))}|[a-z ]+?) "
    rf"({_NAMES}(?:\(.*\)| on {_NAMES})?)$"
)


def wholes_of(facts: Facts, key: Key) -> tuple[Key, ...]:
    """List what an object is a part of, nearest first, whether or not `facts` know it."""
    class_, identity = key
    wholes = list(_by_attributes(facts, class_, identity))
    if class_ in ASPECTS:
        wholes.append((ASPECTS[class_], identity))
    if class_ in _NAMED:
        pattern, classes = _NAMED[class_]
        if match := pattern.match(identity):
            wholes += [
                (each, name) for each, name in zip(classes, match.groups(), strict=True) if name
            ]
    return tuple(wholes)


def _by_attributes(facts: Facts, class_: str, identity: str) -> Iterator[Key]:
    """Yield the wholes that a name alone does not tell."""
    attributes = facts[class_, identity]
    match class_:
        case "relation":
            if attributes.get("kind") == "composite type":
                yield "type", identity
            if owner := facts.get(("sequence", identity), {}).get("owned by"):
                yield "column", owner
        case "constraint":
            yield from _of_constraint(attributes, identity)
        case "index":
            yield from _of_index(attributes, identity)
        case "statistics":
            yield "relation", str(attributes.get("table"))
            yield "schema", _schema(identity)
        case "trigger":
            if guard := _GUARD.match(identity):
                yield "constraint", guard[1]
        case "privileges":
            yield "extension", str(attributes.get("extension"))
        case "comment" | "security label":
            yield from _described(identity)
        case "extension dependency":
            what, _, extension = identity.rpartition(" on ")
            yield from _described(what)
            yield "extension", extension


def _described(identity: str) -> Iterator[Key]:
    if described := _DESCRIBED.match(identity):
        what, name = described.groups()
        yield _DESCRIBED_AS.get(what, what), name.replace("pg_catalog.", "")


def _of_constraint(attributes: Attributes, identity: str) -> Iterator[Key]:
    if match := _ON.match(identity):
        on, definition = match[2], attributes.get("definition") or ""
        yield from _columns(on, definition.partition(" REFERENCES ")[0])
        yield "relation", on
        yield "type", on


def _of_index(attributes: Attributes, identity: str) -> Iterator[Key]:
    name, on = identity.removeprefix(_schema(identity) + "."), str(attributes.get("table"))
    yield "constraint", f"{name} on {on}"
    yield from _columns(on, (attributes.get("definition") or "").partition(" USING ")[2])
    yield "relation", on


def _columns(relation: str, definition: str) -> Iterator[Key]:
    """Yield whatever a definition may name as a column: only those that stand are looked for."""
    for name in dict.fromkeys(_WORD.findall(_LITERAL.sub("", definition))):
        yield "column", f"{relation}.{name}"


def _schema(identity: str) -> str:
    """Return the first of the names that make up a qualified one."""
    match = _IN_SCHEMA[0].match(identity)
    return match[1] if match else ""
