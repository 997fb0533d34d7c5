"""The way there and back of each batch, laid end to end on one axis."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchgate.particulars import Leg
from batchgate.run import CheckResult
from batchgate.verdict import time_text


@dataclass(frozen=True)
class Stretch:
    """One leg of the way: where it begins and how long it is, in percent of the axis.

    The first one's time has a column of its own: it is `told` beside the others' only if it failed.
    """

    name: str
    kind: str
    time: str
    start: float
    width: float
    failed: bool
    told: bool


@dataclass(frozen=True)
class Timeline:
    """Every batch's stretches by its name, and the length of the axis in words."""

    total: str
    stretches: Mapping[str, tuple[Stretch, ...]]

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Return each kind of leg once, with its name."""
        kinds = {each.kind: each.name for legs in self.stretches.values() for each in legs}
        return tuple((kind, name) for kind, name in sorted(kinds.items()))


def timeline_of(checks: Iterable[CheckResult], batches: Sequence[str]) -> Timeline | None:
    """Return the batches' legs end to end, batch by batch, or None where none was timed."""
    legs: dict[str, tuple[Leg, ...]] = {}
    for check in checks:
        gone = check.particulars.legs
        if len(gone) > len(legs.get(check.batch, ())):
            legs[check.batch] = gone
    total = sum(leg.seconds for each in legs.values() for leg in each)
    if not total:
        return None
    start, stretches = 0.0, {}
    for batch in batches:
        placed = []
        for place, leg in enumerate(legs.get(batch, ())):
            width = 100 * leg.seconds / total
            placed.append(
                Stretch(
                    leg.name,
                    f"leg-{min(place, 2) + 1}",
                    time_text(leg.seconds),
                    round(start, 2),
                    round(width, 2),
                    leg.failed,
                    told=bool(place) or leg.failed,
                )
            )
            start += width
        stretches[batch] = tuple(placed)
    return Timeline(time_text(total), stretches)
