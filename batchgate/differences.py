"""What stands in two snapshots of a database, and what differs between them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from batchgate.excerpts import excerpt, excerpts, one_line
from batchgate.particulars import Change
from batchgate.softness import note_on
from batchgate.wholes import ASPECTS, Attributes, Json, Key, wholes_of

# Wholes come before the parts that fall with them.
WHOLES_FIRST = (
    "schema",
    "extension",
    "relation",
    "inheritance",
    "type",
    "routine",
    "column",
    "constraint",
)
# Classes whose name says better what a relation is.
_SAYING = ("foreign table", "sequence", "view")
_PLURALS = {
    "class": "classes",
    "family": "families",
    "index": "indexes",
    "policy": "policies",
    "privileges": "privileges",
    "statistics": "statistics",
}


class Kind(StrEnum):
    """How an object or one of its attributes differs."""

    LEFT_BEHIND = "left behind"
    DESTROYED = "destroyed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Snapshot:
    """Every object of a database by class and qualified name, with its attributes."""

    facts: Mapping[Key, Attributes]


@dataclass(frozen=True)
class Difference:
    """One thing that does not stand as it stood; a note says why it is of no consequence.

    `wholes` are what the object is a part of, `parts` what `collapse` found to come or go
    with it.
    """

    kind: Kind
    class_: str
    identity: str
    attribute: str | None = None
    before: Json = field(default=None, hash=False)
    after: Json = field(default=None, hash=False)
    note: str = ""
    wholes: tuple[Key, ...] = field(default=(), compare=False, repr=False)
    parts: tuple["Difference", ...] = field(default=(), compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Return what a snapshot files the object under."""
        return self.class_, self.identity

    @property
    def soft(self) -> bool:
        """Tell whether this is to be reported apart from logical differences."""
        return bool(self.note)

    def __str__(self) -> str:
        line = f"{self.kind}: {self.class_} {self.identity}"
        if self.attribute is not None:
            before, after = self._excerpts()
            line += f", {self.attribute}: {before} → {after}"
        remarks = [remark for remark in (_counted_parts(self), self.note) if remark]
        return " ".join([line, *(f"({remark})" for remark in remarks)])

    def change(self, at: str = "") -> Change:
        """Return this as plain values, with the line that it comes from."""
        before, after = ("", "") if self.attribute is None else self._excerpts()
        return Change(
            kind=self.kind.value,
            sort=self.class_,
            name=excerpt(self.identity),
            attribute=self.attribute or "",
            before=before,
            after=after,
            parts=_counted_parts(self),
            note=self.note,
            at=at,
        )

    def _excerpts(self) -> tuple[str, str]:
        return excerpts(*written(self.attribute or "", self.before, self.after))


def compare(before: Snapshot, after: Snapshot) -> list[Difference]:
    """List what differs, logical differences first, wholes before their parts."""
    differences: list[Difference] = []
    for key in before.facts.keys() | after.facts.keys():
        was, stands = before.facts.get(key), after.facts.get(key)
        if was == stands:
            continue
        if was is not None and stands is not None:
            differences += _changes(key, was, stands)
        elif key[0] != "column order":
            kind, facts = (
                (Kind.DESTROYED, before.facts)
                if stands is None
                else (Kind.LEFT_BEHIND, after.facts)
            )
            differences.append(Difference(kind, *key, wholes=wholes_of(facts, key)))
    return sorted(differences, key=_place)


def collapse(differences: Iterable[Difference]) -> list[Difference]:
    """Put what came or went with its whole under it: a table's columns are not news of their own.

    What was changed stays as it is.
    """
    differences = list(differences)
    found = {(each.kind, each.key): each for each in differences if each.attribute is None}
    parts: dict[tuple[Kind, Key], list[Difference]] = {}
    roots = []
    for difference in differences:
        root = _root(difference, found)
        if root is difference:
            roots.append(root)
        else:
            parts.setdefault((root.kind, root.key), []).append(difference)
    return [
        replace(root, parts=tuple(parts.get((root.kind, root.key), ())))
        if root.attribute is None
        else root
        for root in roots
    ]


def _root(difference: Difference, found: Mapping[tuple[Kind, Key], Difference]) -> Difference:
    """Return the outermost whole that came or went with this part of it."""
    while difference.attribute is None:
        wholes = (found.get((difference.kind, whole)) for whole in difference.wholes)
        nearest = next((whole for whole in wholes if whole), None)
        if nearest is None:
            break
        difference = nearest
    return difference


def _changes(key: Key, was: Attributes, stands: Attributes) -> Iterator[Difference]:
    for name in sorted(was.keys() | stands.keys()):
        before, after = was.get(name), stands.get(name)
        if before != after and not _told_by_columns(key[0], before, after):
            note = note_on(key[0], name, before, after, stands)
            yield Difference(Kind.CHANGED, *key, name, before, after, note)


def _told_by_columns(class_: str, before: Json, after: Json) -> bool:
    """Tell whether an order differs only in columns that came or went, which tell so themselves."""
    if class_ != "column order" or not isinstance(before, list) or not isinstance(after, list):
        return False
    return [name for name in before if name in after] == [name for name in after if name in before]


def _place(difference: Difference) -> tuple[bool, int, str, str, str]:
    class_ = difference.class_
    rank = WHOLES_FIRST.index(class_) if class_ in WHOLES_FIRST else len(WHOLES_FIRST)
    return difference.soft, rank, class_, difference.identity, difference.attribute or ""


def _counted_parts(whole: Difference) -> str:
    """Count the parts by class; what says more of an object is no object of its own."""
    named = {part.identity: part.class_ for part in whole.parts if part.class_ in _SAYING}
    rows = {("relation", part.identity) for part in (whole, *whole.parts) if part.class_ == "type"}
    parts = Counter(
        named.get(part.identity, part.class_) if part.class_ == "relation" else part.class_
        for part in whole.parts
        if part.class_ not in ASPECTS and part.key not in rows
    )
    ranks = sorted(parts, key=lambda class_: (class_ not in WHOLES_FIRST, class_))
    counts = [f"{parts[class_]} {_noun(class_, parts[class_])}" for class_ in ranks]
    return f"with {', '.join(counts)}" if counts else ""


def _noun(class_: str, number: int) -> str:
    if number == 1:
        return class_
    head, _, last = class_.rpartition(" ")
    return f"{head} {_PLURALS.get(last, last + 's')}".lstrip()


def written(attribute: str, before: Json, after: Json) -> tuple[str, str]:
    """Write two values; a hash stands for a secret, which even as a hash is not shown."""
    if attribute.endswith(" hash"):
        both = before is not None and after is not None and before != after
        was, stands = ("none" if value is None else "set" for value in (before, after))
        return was, stands + " otherwise" if both else stands
    return _readable(before), _readable(after)


def _readable(value: Json) -> str:
    """Write a value on one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "{" + ", ".join(_readable(item) for item in value) + "}"
    if isinstance(value, dict):
        return _readable([f"{name}: {_readable(value[name])}" for name in sorted(value)])
    return one_line(str(value))
