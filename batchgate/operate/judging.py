"""Which differences are drift, which are of no consequence, and what no batch made at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from batchgate.catalog import Difference, Kind, Snapshot
from batchgate.excerpts import excerpt
from batchgate.operate.departures import Departure, Sort
from batchgate.operate.likening import OWNER, raw_names
from batchgate.operate.making import Making
from batchgate.softness import note_on
from batchgate.wholes import Attributes, Json, Key

# What belongs to the server, or to the database as a whole: none of it is of the schema, unless a
# batch makes it.
_SHARED = frozenset(
    {
        "database",
        "extension dependency",
        "large object",
        "parameter",
        "privileges",
        # Of a publication that a batch made, the publication says it, too.
        "publication table",
        "replication origin",
        "role",
        "role membership",
        "setting",
        "tablespace",
    }
)
# What changes a table, though it is an object of its own.
_PARTS = frozenset(
    {
        "column",
        "constraint",
        "index",
        "inheritance",
        "policy",
        "rule",
        "statistics",
        "trigger",
    }
)
# What is said of an object, and is none.
_REMARKS = frozenset({"comment", "security label"})
_WHOLES = frozenset({"relation", "type", "column", "constraint"})
# What a database is tuned by: of no consequence for what is kept in it, unless a batch says so.
_TUNING: Mapping[tuple[str, str], tuple[Json, ...]] = {
    ("column", "compression"): ("",),
    ("column", "options"): (None,),
    ("column", "statistics target"): (None,),
    ("column", "storage"): ("p", "x", "m", "e"),
    ("index", "clustered"): (False,),
    ("index", "options"): (None,),
    ("index", "replica identity"): (False,),
    ("index", "statistics targets"): (None,),
    ("index", "tablespace"): (None,),
    ("relation", "options"): (None,),
    ("relation", "replica identity"): ("d", "n"),
    ("relation", "tablespace"): (None,),
    ("relation", "toast options"): (None,),
    ("statistics", "target"): (None,),
}
_TUNED = "tuned here"
_FILLED = "filled since"
_SORTS = {
    Kind.DESTROYED: Sort.MISSING,
    Kind.LEFT_BEHIND: Sort.EXTRA,
    Kind.CHANGED: Sort.CHANGED,
}


def noted(difference: Difference, expected: Mapping[Key, Attributes]) -> Difference:
    """Return a difference with the reason why it is of no consequence, where there is one."""
    if difference.attribute is None:
        return difference
    key = difference.class_, difference.attribute
    before, after = difference.before, difference.after
    if key == ("type", "labels"):
        # A batch could not take one back, but somebody has added it here.
        note = ""
    elif key == ("relation", "populated"):
        note = _FILLED if after else ""
    elif key[1] == "default":
        # Here it is the earlier one that stands.
        note = note_on(*key, after, before, expected[difference.key])
    elif _is_tuning(difference, expected[difference.key]):
        note = _TUNED
    else:
        note = difference.note
    return replace(difference, note=note)


def _is_tuning(difference: Difference, attributes: Attributes) -> bool:
    """Tell whether a batch left open what is set here; views mean other things by options."""
    key = difference.class_, difference.attribute or ""
    if key not in _TUNING or attributes.get("kind") == "view":
        return False
    before, after = difference.before, difference.after
    if key[1].endswith("options") and isinstance(before, list):
        return set(before) <= set(after or ())
    return before in _TUNING[key]


@dataclass
class Judged:
    """Roots of what differs, sorted into drift, what is of no consequence, and what is strange."""

    making: Making
    expected: Snapshot
    stands: Snapshot
    owner: str
    roots: list[Difference] = field(default_factory=list)
    harmless: list[Departure] = field(default_factory=list)
    strangers: list[tuple[str, str]] = field(default_factory=list)

    def take(self, root: Difference) -> None:
        """Sort one in."""
        if root.kind is not Kind.LEFT_BEHIND or self._is_of_a_batch(root):
            self.roots.append(root)
        elif root.class_ in _REMARKS:
            if any(whole in self.expected.facts for whole in root.wholes):
                self.harmless.append(self.departure(replace(root, note="no batch's")))
        elif root.class_ not in _SHARED:
            kind = self.stands.facts[root.key].get("kind") if root.class_ == "relation" else None
            name = excerpt(root.identity).replace(OWNER, self.owner)
            self.strangers.append((str(kind or root.class_), name))

    def _is_of_a_batch(self, root: Difference) -> bool:
        """Tell whether what is too much changes what a batch made, or is itself a batch's."""
        if root.key in self.making.leftovers or root.key in self.making.ground.facts:
            return True
        return root.class_ in _PARTS and any(
            whole in self.expected.facts for whole in root.wholes if whole[0] in _WHOLES
        )

    def departure(self, difference: Difference) -> Departure:
        """Return a difference as it is told."""
        said = difference.change()
        attribute = difference.attribute or ""
        expected, found = said.before, said.after
        if attribute == "owner":
            expected, found = (
                self.owner if value == OWNER else value for value in (expected, found)
            )
        return Departure(
            sort=_SORTS[difference.kind],
            class_=said.sort,
            name=said.name,
            attribute=attribute,
            expected=expected,
            found=found,
            parts=said.parts,
            batch=self.making.origin(difference.key, *raw_names(attribute)),
            note=said.note or self._state(difference),
        )

    def _state(self, difference: Difference) -> str:
        """Say in which state something is that is too much."""
        if difference.kind is not Kind.LEFT_BEHIND:
            return ""
        stands = self.stands.facts[difference.key]
        if difference.class_ == "index" and stands.get("valid") is False:
            return "invalid, as an interrupted build leaves it"
        if difference.class_ == "constraint" and stands.get("validated") is False:
            return "not validated"
        if batch := self.making.leftovers.get(difference.key):
            return f"made by {batch}, which does not stand"
        return ""
