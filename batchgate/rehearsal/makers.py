"""Which batch made what stands at a height, and on which line."""

from batchgate.catalog import Snapshot, take_snapshot
from batchgate.heights import Heights
from batchgate.rehearsal.course import Change, Course, Leg, retrace
from batchgate.suite import Batch
from batchgate.wholes import Key


class Makers:
    """Finds the batches that made objects; one is gone through once, and only when asked for."""

    def __init__(self, heights: Heights, start: Batch | None) -> None:
        self._heights = heights
        self._start = start
        self._changes: dict[str, list[Change[Snapshot]]] = {}

    def named(self, key: Key, *, with_line: bool) -> str:
        """Say which batch made an object, halving the heights until it is found."""
        heights, start = self._heights, self._start
        if start is None or key not in heights.schema_at(start).facts:
            return "made by this file, above"
        if key in heights.schema_at(None).facts:
            return "made by no batch"
        batches = heights.suite.up_to(start)
        without, having = -1, len(batches) - 1
        while having - without > 1:
            middle = (without + having) // 2
            if key in heights.schema_at(batches[middle]).facts:
                having = middle
            else:
                without = middle
        line = self._line(batches[having], key) if with_line else ""
        return f"made by {batches[having].name}{line}"

    def _line(self, maker: Batch, key: Key) -> str:
        """Name the line of a batch's migration that made an object, where it was the migration."""
        if maker.migration is None:
            return ""
        if maker.name not in self._changes:
            course = Course(self._heights.suite.below(maker), (Leg(maker, maker.migration),))
            self._changes[maker.name] = retrace(self._heights, course, take_snapshot)
        made = [
            change.at
            for change in self._changes[maker.name]
            if key in change.after.facts and key not in change.before.facts
        ]
        return f", {made[-1]}" if made else ""
