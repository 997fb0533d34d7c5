"""Snapshots of two servers made comparable: names of roles, privileges, and what a version adds."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from batchgate.catalog import Snapshot
from batchgate.wholes import Attributes, Facts, Json, Key, wholes_of

OWNER, PUBLIC = "its owner", "everybody"

_ITEM = re.compile(r'(?P<grantee>"(?:[^"]|"")*"|[^=]*)=(?P<letters>[a-zA-Z*]*)/')
_PRIVILEGES = {
    "a": "insert",
    "r": "select",
    "w": "update",
    "d": "delete",
    "D": "truncate",
    "x": "references",
    "t": "trigger",
    "m": "maintain",
    "X": "execute",
    "U": "usage",
    "C": "create",
    "c": "connect",
    "T": "temporary",
    "s": "set",
    "A": "alter system",
}
_ACLS = {"acl": "privileges", "row type acl": "row type privileges"}
_GRANTED = re.compile(r"(?:row type )?privileges of (?P<role>.*)", re.DOTALL)
# What another server may have otherwise, and no batch could say: how far a library has come, which
# of the system's collations it was made for, in whose name an extension stands; and secrets, which
# batches cannot keep.
_NOT_COMPARED = frozenset(
    {
        ("collation", "version"),
        ("extension", "configuration"),
        ("extension", "members"),
        ("database", "owner"),
        ("extension", "owner"),
        ("extension", "version"),
        ("subscription", "slot"),
        ("user mapping", "options hash"),
    }
)
_SECRETS = frozenset({"role password", "subscription connection"})
# The role that made something is a part of its name.
_NAMED_FOR = {
    "default privileges": re.compile(r"(?<=^of )(?P<role>.+)(?= for kind )"),
    "role membership": re.compile(r" by (?P<role>.+)$"),
    "large object": re.compile(r"(?<=^of )(?P<role>.+)$"),
    "setting": re.compile(r"(?<= for )(?P<role>.+?)(?= in this database$|$)"),
    "user mapping": re.compile(r"^(?P<role>.+?)(?= on )"),
}
# What an index is tuned by is an attribute of its own.
_WITH_OPTIONS = frozenset({"constraint", "index"})
_OPTION = r"\w+=(?:'(?:[^']|'')*'|\w+)"
_OPTIONS = re.compile(rf" WITH \({_OPTION}(?:, {_OPTION})*\)")
_OF_RANGES = ("range_constructor", "multirange_constructor")
_NOT_NULL = re.compile(r"NOT NULL (?P<column>.+?)(?P<no_inherit> NO INHERIT)?(?: NOT VALID)?$")
_ON = re.compile(r" on (?P<relation>.+)$")
# From which majors on the server writes these texts otherwise than before.
_WRITTEN_ANEW = {
    ("view", "definition"): (15, 16),
    ("rule", "definition"): (15, 16),
    ("routine", "sql body"): (15, 16),
}
_MAINTAIN_SINCE = 17


@dataclass(frozen=True)
class Roles:
    """Who stands for the owner of what batches make on a server, and which roles they speak of."""

    owner: str
    spoken_of: Set[str] = frozenset()


def grantee_of(attribute: str) -> str:
    """Return whose privileges an attribute holds, or nothing where it holds none."""
    match = _GRANTED.fullmatch(attribute)
    return match["role"] if match else ""


def raw_names(attribute: str) -> tuple[str, ...]:
    """Return the attributes of a snapshot that say what an attribute here says."""
    if not grantee_of(attribute):
        return (attribute,)
    return tuple(raw for raw, name in _ACLS.items() if attribute.startswith(name))


def owner_of(facts: Facts, made: Facts, database_owner: str) -> str:
    """Return who owns most of the relations that batches made; one owns what they apply."""
    owners = Counter(
        str(facts[key]["owner"]) for key in made if key[0] == "relation" and key in facts
    )
    if not owners:
        return database_owner
    most = max(owners.values())
    chosen = sorted(owner for owner, count in owners.items() if count == most)
    return database_owner if database_owner in chosen else chosen[0]


def spoken_of(facts: Facts, owner: str) -> Set[str]:
    """Return the roles to which the batches grant anything."""
    return {
        role
        for key, attributes in facts.items()
        for acl in _ACLS
        for role in _grants(attributes.get(acl), _owner(facts, key, owner))
    } - {OWNER}


def likened(snapshot: Snapshot, roles: Roles) -> Snapshot:
    """Return the facts without what no two servers have alike, and with privileges by role.

    Whoever stands for the owner is called so.
    """
    facts: dict[Key, Attributes] = {}
    not_null: list[tuple[Key, Attributes]] = []
    for (class_, identity), attributes in snapshot.facts.items():
        if class_ in _SECRETS or _is_copied(snapshot.facts, (class_, identity)):
            continue
        if class_ == "constraint" and attributes.get("type") == "n":
            not_null.append(((class_, identity), attributes))
            continue
        name = _renamed(class_, identity, roles.owner)
        key = class_, identity
        facts[class_, name] = dict(_likened(snapshot.facts, key, attributes, roles))
    for key, attributes in not_null:
        _fold(facts, key, attributes)
    return Snapshot(facts)


def _is_copied(facts: Facts, key: Key) -> bool:
    """Tell what the server makes for each partition by itself, under names of its own."""
    keys = (key, *wholes_of(facts, key)) if key[0] in ("constraint", "trigger") else ()
    return any(each[0] == "constraint" and facts.get(each, {}).get("parent") for each in keys)


def _likened(
    facts: Facts, key: Key, attributes: Attributes, roles: Roles
) -> Iterator[tuple[str, Json]]:
    for name, value in attributes.items():
        if name in _ACLS:
            for role, granted in _grants(value, _owner(facts, key, roles.owner)).items():
                yield f"{_ACLS[name]} of {role}", granted
        elif name == "owner":
            if not _goes_with_range(key[0], attributes):
                yield name, OWNER if value == roles.owner else value
        elif name == "definition" and key[0] in _WITH_OPTIONS:
            yield name, _OPTIONS.sub("", value or "")
        elif (key[0], name) not in _NOT_COMPARED:
            yield name, value


def _goes_with_range(class_: str, attributes: Attributes) -> bool:
    """Tell what comes with a range type and does not follow it to another owner."""
    multirange = class_ == "type" and attributes.get("kind") == "m"
    return multirange or str(attributes.get("body")).startswith(_OF_RANGES)


def _owner(facts: Facts, key: Key, default: str) -> str:
    """Return who owns an object, or what it is a part of."""
    owner = facts[key].get("owner") or facts.get(("relation", key[1].rpartition(".")[0]), {}).get(
        "owner"
    )
    return str(owner or default)


def _grants(acl: Json, owner: str) -> Mapping[str, list[str]]:
    """Return the privileges of each role, whoever gave them."""
    found: dict[str, set[str]] = {}
    for item in acl or ():
        match = _ITEM.match(item)
        if match is None:
            continue
        name = match["grantee"]
        if name.startswith('"'):
            name = name[1:-1].replace('""', '"')
        role = OWNER if name == owner else name or PUBLIC
        letters = re.findall(r"[a-zA-Z]\*?", match["letters"])
        found.setdefault(role, set()).update(map(_in_words, letters))
    return {role: sorted(privileges) for role, privileges in found.items()}


def _in_words(letter: str) -> str:
    word = _PRIVILEGES.get(letter[0], letter[0])
    return f"{word} with grant option" if letter[1:] else word


def _renamed(class_: str, identity: str, owner: str) -> str:
    """Return a name without the role that made the object, where that is the owner."""
    if class_ == "role membership":
        return _NAMED_FOR[class_].sub("", identity)
    if pattern := _NAMED_FOR.get(class_):
        match = pattern.search(identity)
        if match and match["role"].strip('"') == owner:
            return f"{identity[: match.start('role')]}{OWNER}{identity[match.end('role') :]}"
    return identity


def _fold(facts: dict[Key, Attributes], key: Key, attributes: Attributes) -> None:
    """Say of a column what its constraint says: its name differs by the way there alone.

    Servers before 18 have none, and one that was upgraded gives names of its own.
    """
    says, on = _NOT_NULL.search(attributes.get("definition") or ""), _ON.search(key[1])
    column = ("column", f"{on['relation']}.{says['column']}") if says and on else ("", "")
    if says is None or column not in facts:
        facts[key] = attributes
        return
    told = dict(facts[column])
    if attributes.get("validated") is False:
        told["not null"] = "not valid"
    if says["no_inherit"]:
        told["not null"] = "not inherited"
    facts[column] = told


class Sides(NamedTuple):
    """The facts that are held side by side."""

    expected: Facts
    found: Facts


def across_versions(sides: Sides, majors: tuple[int, int]) -> tuple[Sides, tuple[str, ...]]:
    """Leave out what only differs between two majors; return in words what was left out, too."""
    low, high = sorted(majors)
    known = [_known(facts) for facts in sides]
    skipped = {each for each, (old, new) in _WRITTEN_ANEW.items() if low <= old and high >= new}
    told = sorted({f"{name} of {class_}s" for class_, name in skipped if class_ in known[0]})

    def reduced(class_: str, attributes: Attributes) -> Attributes:
        return {
            name: _without_maintain(name, value) if low < _MAINTAIN_SINCE <= high else value
            for name, value in attributes.items()
            if (class_, name) not in skipped and _in_both(known, class_, name)
        }

    both = [
        {
            key: reduced(key[0], each)
            for key, each in facts.items()
            if not (low < 15 <= high and _is_of_15(facts, key))
        }
        for facts in sides
    ]
    return Sides(*both), tuple(told)


def _is_of_15(facts: Facts, key: Key) -> bool:
    """Tell what older servers have not: such as a foreign key's own triggers on partitioned tables.

    Of published tables they have less to say, and the publication names them all the same.
    """
    if key[0] == "publication table":
        return True
    if key[0] != "trigger" or facts[key].get("definition") is not None:
        return False
    wholes = (facts.get(each, {}) for each in wholes_of(facts, key))
    return any(whole.get("kind") == "partitioned table" for whole in wholes)


def _known(facts: Facts) -> Mapping[str, Set[str]]:
    """Return the attributes that a server tells of each class."""
    known: dict[str, set[str]] = {}
    for (class_, _), attributes in facts.items():
        known.setdefault(class_, set()).update(attributes)
    return known


def _in_both(names: Iterable[Mapping[str, Set[str]]], class_: str, name: str) -> bool:
    """Tell whether both servers know of an attribute; privileges are there or are not."""
    return bool(grantee_of(name)) or all(
        name in known[class_] for known in names if class_ in known
    )


def _without_maintain(name: str, value: Any) -> Any:
    if grantee_of(name) and isinstance(value, list):
        return [word for word in value if not word.startswith("maintain")]
    return value
