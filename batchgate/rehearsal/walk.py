"""A database that goes a chain of batches up, down and up again, looked at after every file."""

from collections.abc import Iterable
from typing import NamedTuple

from batchgate.batches import FileRun, run_file
from batchgate.catalog import Difference, Snapshot, compare
from batchgate.contents import Contents, ContentsDifference, compare_contents
from batchgate.heights import Heights
from batchgate.rehearsal.course import Leg, leg
from batchgate.rehearsal.lookout import Lookout, Sight
from batchgate.samples import sample_of
from batchgate.states import Differing
from batchgate.suite import Batch, Suite


class Chain(NamedTuple):
    """The batches that can be rolled back one after another, and what they stand on."""

    floor: Batch | None
    batches: tuple[Batch, ...]

    def height(self, number: int) -> str:
        """Name the height at which so many of the batches stand."""
        if number:
            return self.batches[number - 1].name
        return self.floor.name if self.floor else "an empty database"


class Found(NamedTuple):
    """What differs at a height from when it was first reached, and was not seen before.

    `since` and `until` count the legs gone at the two sights.
    """

    where: str
    since: int
    until: int
    schema: tuple[Difference, ...]
    contents: tuple[ContentsDifference, ...]


def chain_of(suite: Suite) -> Chain:
    """Return the batches above the last that has no way back; validations are stepped over."""
    made = [batch for batch in suite.batches if batch.migration]
    start = max((number for number, each in enumerate(made, 1) if not each.rollback), default=0)
    return Chain(made[start - 1] if start else None, tuple(made[start:]))


class Walk:
    """One walk over a chain: the legs that were gone, and what stood after each.

    Rows of samples are loaded on the way up, where `sampled` says so. Below the height of the
    last of them the data is not compared: its rows have come since. Once a floor is reached that
    is what it was, the second way up is looked at from its top alone, unless `closely`.
    """

    def __init__(
        self, heights: Heights, chain: Chain, sampled: Iterable[Batch], *, closely: bool = False
    ) -> None:
        self.heights = heights
        self.chain = chain
        self.sampled = {batch.name for batch in sampled}
        self.closely = closely
        self.legs: list[Leg] = []
        self.marks: list[Snapshot] = []
        self.found: list[Found] = []
        self.notes: dict[str, Differing] = {}
        self.stopped: FileRun | None = None
        self.compared_from = 0
        self._reached: list[int] = []
        self._stood: list[Contents] = []
        self._known: set[object] = set()

    def go(self, lookout: Lookout) -> None:
        """Go up, down and up again, to the end or the first file that does not go through.

        Raises BatchFailed where that is on the first way up.
        """
        self._lookout = lookout
        self._sight = lookout.look()
        self.marks.append(self._sight.schema)
        self._reach()
        for batch in self.chain.batches:
            self._climb(batch)
        top = len(self.chain.batches)
        for number in reversed(range(top)):
            if self._stops(self.chain.batches[number], "rollback.sql", number):
                return
            self._compare(number, f"down to {self.chain.height(number)}")
        self.closely = self.closely or bool(self.found)
        for number in range(1, top + 1):
            look = self.closely or number == top
            batch = self.chain.batches[number - 1]
            if self._stops(batch, "migration.sql", number, look=look, rows=False):
                return
            if look:
                self._compare(number, f"up again to {self.chain.height(number)}")
            # Refused where its rows have outlived the way down; else the next batch may need them.
            self._load_sample(batch, look=look, rows=False)

    def _climb(self, batch: Batch) -> None:
        ran = self._run(leg(batch, "migration.sql"), self.marks[-1])
        if not ran.succeeded:
            raise ran.failure("migration to succeed")
        if loaded := self._load_sample(batch):
            if not loaded.succeeded:
                raise loaded.failure(f"sample data {loaded.path} to load")
            self.compared_from = len(self._reached)
        self._reach()

    def _load_sample(self, batch: Batch, *, look: bool = True, rows: bool = True) -> FileRun | None:
        sample = sample_of(batch, self.heights.settings)
        if sample is None or batch.name not in self.sampled:
            return None
        return self._run(Leg(batch, sample), self.marks[-1], look=look, rows=rows)

    def _reach(self) -> None:
        """Keep what stands at a height when it is first reached."""
        assert self._sight.contents is not None, "rows are read on the first way up"
        self._reached.append(len(self.legs))
        self._stood.append(self._sight.contents)

    def _stops(
        self, batch: Batch, name: str, number: int, *, look: bool = True, rows: bool = True
    ) -> bool:
        like = self.marks[self._reached[number]]
        ran = self._run(leg(batch, name), like, look=look, rows=rows)
        self.stopped = None if ran.succeeded else ran
        return not ran.succeeded

    def _run(self, one: Leg, like: Snapshot, *, look: bool = True, rows: bool = True) -> FileRun:
        """Run a file in a session of its own and look at what stands then, or take it for alike."""
        with self._lookout.session() as session:
            ran = run_file(session, self.heights.settings, one.batch, one.path)
        self.legs.append(one)
        self._sight = self._lookout.look(like, rows=rows) if look else Sight(like)
        self.marks.append(self._sight.schema)
        return ran

    def _compare(self, number: int, where: str) -> None:
        """Compare a height with what stood there at first; keep what is new."""
        since = self._reached[number]
        before, after = self.marks[since], self.marks[-1]
        schema = compare(before, after) if before is not after else []
        contents = []
        if self._sight.contents and number >= self.compared_from:
            contents = compare_contents(self._stood[number], self._sight.contents)
        self.notes |= {str(one): one for one in schema if one.soft}
        self.notes |= {str(one): one for one in contents if one.advanced}
        hard = [one for one in schema if not one.soft and self._is_new((one.key, one.attribute))]
        rows = [
            one
            for one in contents
            if not one.advanced and _in_both(before, after, one) and self._is_new(one.identity)
        ]
        if hard or rows:
            self.found.append(Found(where, since, len(self.legs), tuple(hard), tuple(rows)))

    def _is_new(self, name: object) -> bool:
        known = name in self._known
        self._known.add(name)
        return not known


def _in_both(before: Snapshot, after: Snapshot, difference: ContentsDifference) -> bool:
    """Tell what holds other rows from what came or went with them, which the schema tells."""
    key = ("relation", difference.identity)
    return (key in before.facts) is (key in after.facts)
