"""What a check gives back, and how it is called."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from batchgate.heights import Heights
from batchgate.particulars import Particulars
from batchgate.states import Harmless, listed, notes_of
from batchgate.suite import Batch


@dataclass(frozen=True)
class Evidence:
    """What a check that did not fail has to say.

    `unexercised` names what the data gave it nothing to look at: such a check is no pass.
    `particulars` is what it saw, for the page.
    """

    notes: tuple[str, ...] = ()
    unexercised: tuple[str, ...] = ()
    particulars: Particulars = field(default_factory=Particulars)

    @classmethod
    def of(
        cls,
        harmless: Harmless,
        *,
        refused: tuple[str, ...] = (),
        unexercised: tuple[str, ...] = (),
    ) -> "Evidence":
        """Tell of what differs and is of no consequence.

        Where a file was refused, the notes say that alone.
        """
        return cls(refused or notes_of(harmless), unexercised, listed(harmless=harmless))


Prove: TypeAlias = Callable[[Heights, Batch], Evidence]


class Check(NamedTuple):
    """One thing that a batch's file has to prove; it raises BatchFailed where it does not."""

    prove: Prove
    markers: tuple[str, ...] = ()
