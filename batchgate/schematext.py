"""Two schemas written as text, object by object, and how their lines differ."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import TypeAlias

from batchgate.differences import Difference, Snapshot, written
from batchgate.excerpts import excerpt, excerpts
from batchgate.wholes import Attributes, Json, Key

_INDENT = "    "
# Above the first line of an object's diff: twice a file's name, and where the lines are.
_HEADING = 3
# What nearly every object has: of one that came or went, only what is otherwise is worth a line.
_NOTHING: tuple[Json, ...] = (None, False, "", 0, [])
_TRUE = (
    "defined",
    "enforced",
    "immediate",
    "live",
    "local",
    "permissive",
    "populated",
    "ready",
    "valid",
    "validated",
)
_USUAL: Mapping[str, tuple[Json, ...]] = dict.fromkeys(_TRUE, (None, True)) | {
    "access method": (None, "heap"),
    "collation": (None, '"default"'),
    "delimiter": (",",),
    "enabled": ("O",),
    "no inherit": (False, True),
    "parallel": ("u",),
    "persistence": ("p",),
    "replica identity": (False, "d"),
    "storage": ("p", "x"),
    "volatility": ("v",),
}
# What the definition says, too, where there is one.
_DEFINED = ("index", "primary", "table", "type", "unique")

Sides: TypeAlias = tuple[Attributes, Attributes]


def schema_diff(before: Snapshot, after: Snapshot, roots: Iterable[Difference]) -> list[str]:
    """Return the unified diff of the objects that differ, each with what is unusual of it.

    `roots` are collapsed differences: what came or went with a whole follows it.
    """
    told = (each for root in roots for each in (root, *root.parts))
    lines: list[str] = []
    for key in dict.fromkeys(each.key for each in told):
        was, stands = before.facts.get(key), after.facts.get(key)
        if (was and stands) or not _is_implied(key[0], was or stands or {}):
            lines += _of_object(key, was, stands)
    if not lines:
        return []
    gone = sum(not line.startswith("+") for line in lines)
    come = sum(not line.startswith("-") for line in lines)
    return ["--- before", "+++ after", f"@@ -{_range(gone)} +{_range(come)} @@", *lines]


def _is_implied(class_: str, attributes: Attributes) -> bool:
    """Tell what another object says: a foreign key's own triggers, a column that is not null."""
    if class_ == "trigger":
        return attributes.get("definition") is None
    return class_ == "constraint" and attributes.get("type") == "n"


def _is_telling(attribute: str, values: tuple[Json, Json], sides: Sides) -> bool:
    """Tell whether an attribute is worth a line: it differs in what stands still, or is unusual."""
    if all(sides) and values[0] != values[1]:
        return True
    return any(
        value not in _USUAL.get(attribute, _NOTHING)
        for value, side in zip(values, sides, strict=True)
        if side and not (attribute in _DEFINED and side.get("definition"))
    )


def _of_object(key: Key, was: Attributes | None, stands: Attributes | None) -> Iterator[str]:
    """Yield an object's name and attributes, each with the sign of the side that it is of."""
    name = excerpt(" ".join(key))
    blocks = [] if was is None else [name], [] if stands is None else [name]
    sides = was or {}, stands or {}
    for attribute in sorted(sides[0].keys() | sides[1].keys()):
        values = sides[0].get(attribute), sides[1].get(attribute)
        if _is_telling(attribute, values, sides):
            texts = excerpts(*written(attribute, *values))
            for block, value, text in zip(blocks, values, texts, strict=True):
                if value is not None:
                    block.append(f"{_INDENT}{attribute}: {text}")
    lines = unified_diff(*blocks, n=len(blocks[0]), lineterm="")
    yield from list(lines)[_HEADING:]


def _range(count: int) -> str:
    """Write which lines a hunk has: one that has none begins before the first."""
    return f"{1 if count else 0},{count}"
