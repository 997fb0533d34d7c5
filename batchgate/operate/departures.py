"""What differs between a database and what its batches make, as it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Sort(StrEnum):
    """How the database differs from what its batches make."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Departure:
    """One thing that is not as the batches make it; `batch` is the one that makes it.

    `note` says what is special of it, or why it is of no consequence.
    """

    sort: Sort
    class_: str
    name: str
    attribute: str = ""
    expected: str = ""
    found: str = ""
    parts: str = ""
    batch: str = ""
    note: str = ""

    def __str__(self) -> str:
        line = f"{self.sort}: {self.class_} {self.name}"
        if self.attribute:
            line += f", {self.attribute}: {self.expected} → {self.found}"
        return line + "".join(f" ({each})" for each in (self.parts, self.note) if each)


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What differs; `harmless` is of no consequence, `strangers` no batch made.

    `grants` are the roles that batches do not speak of, and on how many objects each has any
    privilege; `unseen` says what was not compared; `diff` shows the objects that differ.
    """

    departures: tuple[Departure, ...] = ()
    harmless: tuple[Departure, ...] = ()
    strangers: tuple[tuple[str, str], ...] = ()
    grants: Mapping[str, int] = field(default_factory=dict)
    owner: str = ""
    unseen: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
