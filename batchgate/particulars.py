"""What a check saw in particular, as plain values that travel and are drawn: no check's own type.

Every text is ready to be shown: masked, without a row's values, cut where it is long.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """One object, or one attribute of it, that is not as it was.

    `kind` is "added", "removed" or "changed" of what a migration does, "left behind", "destroyed"
    or "changed" of what a file should have left as it was; `parts` counts what came or went with
    it, `note` says why it is of no consequence, `at` names the line that it comes from.
    """

    kind: str
    sort: str
    name: str
    attribute: str = ""
    before: str = ""
    after: str = ""
    parts: str = ""
    note: str = ""
    at: str = ""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock that one statement took on a relation that stood before, and what it did meanwhile.

    `file` is the batch's file; `mode` in the words of LOCK TABLE, upper case; `stops` what of the
    others waits; `seconds` from the statement that took it to its transaction's end, on the scratch
    copy; `work` what was done with rows while it was held; `offends` that the check fails for it,
    `excused` why it does not though others wait while rows are worked on.
    """

    file: str
    at: str
    statement: str
    relation: str
    sort: str
    mode: str
    stops: str
    strength: int
    blocks_writes: bool
    blocks_reads: bool
    seconds: float | None = None
    work: str = ""
    offends: bool = False
    excused: str = ""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One damage to what a batch made, and whether its validation noticed it.

    `ended` is the trial's end in a word ("killed", "survived", …), `at` the validation's line that
    noticed it or the migration's line that made what was damaged, `required` that it must be
    noticed.
    """

    name: str
    ended: str
    required: bool = True
    at: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One run of a batch's file on the way there and back; `seconds` on the scratch copy."""

    name: str
    seconds: float
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """All that one check saw: what it has nothing to say of stays empty.

    `changes` and `diff` are what the migration does to the schema, `differences` what a rollback
    or a second run should have left alone and did not, `rows` how many rows the scratch copy holds
    (None: not counted), `written` the rows that the migration wrote, by table, as the server counts
    them (from PostgreSQL 15 on), `left_out` how many more of each there were.
    """

    changes: tuple[Change, ...] = ()
    diff: tuple[str, ...] = ()
    differences: tuple[Change, ...] = ()
    locks: tuple[Lock, ...] = ()
    mutants: tuple[Mutant, ...] = ()
    legs: tuple[Leg, ...] = ()
    rows: int | None = None
    written: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, without what is empty; they take no subclass of str."""
        return {name: value for name, value in asdict(self).items() if value not in ((), None)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Particulars":
        """Rebuild them from plain values, lists or tuples alike; unknown names are left alone."""
        known = {each.name for each in fields(cls)} & plain.keys()
        return cls(**{name: _rebuilt(name, plain[name]) for name in known})


_PARTS: Mapping[str, type[Any]] = {
    "changes": Change,
    "differences": Change,
    "locks": Lock,
    "mutants": Mutant,
    "legs": Leg,
}


def _rebuilt(name: str, value: Any) -> Any:
    if name in _PARTS:
        kind = _PARTS[name]
        known = {each.name for each in fields(kind)}
        return tuple(kind(**{key: part[key] for key in known & part.keys()}) for part in value)
    if name in ("written", "left_out"):
        return tuple((key, number) for key, number in value)
    return tuple(value) if isinstance(value, list | tuple) else value
