"""What a check gives back, and how it is called."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from batchgate.heights import Heights
from batchgate.suite import Batch


@dataclass(frozen=True)
class Evidence:
    """What a check that did not fail has to say.

    `unexercised` names what the data gave it nothing to look at: such a check is no pass.
    """

    notes: tuple[str, ...] = ()
    unexercised: tuple[str, ...] = ()


Prove: TypeAlias = Callable[[Heights, Batch], Evidence]


class Check(NamedTuple):
    """One thing that a batch's file has to prove; it raises BatchFailed where it does not."""

    prove: Prove
    markers: tuple[str, ...] = ()
