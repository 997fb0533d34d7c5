"""Which batch made an object, and which line destroyed it, changed it, or left it behind."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple

import psycopg

from batchgate.catalog import Difference, Kind, Snapshot, take_snapshot
from batchgate.contents import Contents, ContentsDifference, take_contents
from batchgate.heights import Heights
from batchgate.rehearsal.course import Change, Course, Leg, Look, Seen, retrace
from batchgate.rehearsal.data.losses import compare_rows
from batchgate.rehearsal.data.sights import Rows, by_name, tables_of, take_rows
from batchgate.samples import sample_of
from batchgate.states import Differing, Offence
from batchgate.suite import Batch
from batchgate.wholes import Json, Key


class _Sight(NamedTuple):
    """What is watched of a schema: whether an object stands, or what an attribute of it is."""

    key: Key
    attribute: str | None = None

    def of(self, snapshot: Snapshot) -> Json:
        """Return it as a snapshot has it."""
        found = snapshot.facts.get(self.key)
        if found is None or self.attribute is None:
            return found is not None
        return [found.get(self.attribute)]


class Holdings(NamedTuple):
    """What is watched of the data: the figures of everything, and the rows of some tables."""

    contents: Contents
    rows: Mapping[str, Rows]


class _Maker(NamedTuple):
    """The batch that made an object or set an attribute, and the line, where that is known."""

    batch: str
    at: str

    def __str__(self) -> str:
        return f"{self.batch}, {self.at}" if self.at else self.batch


_ROWS = 3
_FILES = {
    "rollback.sql": "the rollback",
    "migration.sql": "the migration",
    "migration.online.sql": "the online route",
    "validation.sql": "the validation",
}
_UNDOING = {Kind.DESTROYED: "bring it back", Kind.CHANGED: "restore it"}


@dataclass(frozen=True)
class Blamed:
    """Attributes what the legs of a course left behind, destroyed or changed.

    It goes the course again, statement by statement, and asks the heights below for what stood
    there already: dear, and only asked once a check has failed.
    """

    heights: Heights
    course: Course

    def of_schema(
        self,
        differences: Sequence[Difference],
        changes: Sequence[Change[Snapshot]] | None = None,
    ) -> list[Offence]:
        """Say of each difference whose object it is and which line made it so."""
        if changes is None:
            changes = retrace(self.heights, self.course, take_snapshot)
        changes = [change for change in changes if change.leg < len(self.course.legs)]
        before = [change for change in changes if change.leg < self.course.since]
        since = changes[len(before) :]
        stood = (one for one in differences if one.kind is not Kind.LEFT_BEHIND)
        makers = self._makers({sight for one in stood for sight in _sights_of(one)}, before)
        turns = [_last(since, _sights_of(one)[1].of) for one in differences]
        return [
            self._offence(one, turn, makers) if turn else self._unlike(one, since)
            for one, turn in zip(differences, turns, strict=True)
        ]

    def of_contents(
        self,
        differences: Sequence[ContentsDifference],
        changes: Sequence[Change[Holdings]] | None = None,
    ) -> list[Offence]:
        """Say of each table which rows and columns differ, and which line changed it last."""
        legs = range(self.course.since, len(self.course.legs))
        if changes is None:
            look = holdings_of(one.identity for one in differences)
            changes = retrace(self.heights, self.course, look, legs)
        changes = [change for change in changes if change.leg in legs]
        offences = []
        for one in differences:
            change = _last(changes, partial(_figures, identity=one.identity))
            if change is None:
                offences.append(self._unlike(one, changes))
                continue
            lost = _lost(one.identity, changes[0].before.rows, changes[-1].after.rows)
            row = f"{one} ({lost}) by {change.at}" if lost else f"{one} by {change.at}"
            offences.append(Offence(row, one.change(change.at, lost)))
        return offences

    def _unlike(self, one: Differing, changes: Sequence[Change[Seen]]) -> Offence:
        """Say what going the course again did not show, such as names made at random."""
        last = self.course.legs[-1]
        at = changes[-1].at if changes else f"{self.heights.settings.relative(last.path)}:1"
        return Offence(f"{one}, but not when run again", one.change(at))

    def _makers(
        self, sights: set[_Sight], before: Sequence[Change[Snapshot]]
    ) -> dict[_Sight, _Maker]:
        """Name the batches and lines that made what was destroyed, or set what was changed."""
        makers: dict[_Sight, _Maker] = {}
        for sight in sights:
            if made := _last(before, sight.of):
                makers[sight] = _Maker(self.course.legs[made.leg].batch.name, made.at)
        return makers | self._made_below(sights - makers.keys())

    def _made_below(self, sights: set[_Sight]) -> dict[_Sight, _Maker]:
        """Walk down the heights to the batches that made what stood at the start."""
        makers: dict[_Sight, _Maker] = {}
        heights, start = self.heights, self.course.start
        if start is None:
            return makers
        stood = heights.schema_at(start).facts
        sights = {sight for sight in sights if sight.key in stood}
        for batch in reversed(heights.suite.up_to(start)):
            if not sights:
                break
            if batch.migration or sample_of(batch, heights.settings):
                above = heights.schema_at(batch)
                lower = heights.schema_at(heights.suite.below(batch))
                made = {sight for sight in sights if sight.of(above) != sight.of(lower)}
                makers |= self._made_by(batch, made) if made else {}
                sights = sights - made
        return makers

    def _made_by(self, batch: Batch, sights: set[_Sight]) -> dict[_Sight, _Maker]:
        """Find the lines of a batch that made objects or set attributes."""
        paths = (batch.migration, sample_of(batch, self.heights.settings))
        legs = tuple(Leg(batch, path) for path in paths if path)
        course = Course(self.heights.suite.below(batch), legs)
        changes = self.heights.keep(
            ("made by", batch.name), lambda: retrace(self.heights, course, take_snapshot)
        )
        lines = {sight: _last(changes, sight.of) for sight in sights}
        return {sight: _Maker(batch.name, made.at if made else "") for sight, made in lines.items()}

    def _offence(
        self,
        difference: Difference,
        change: Change[Snapshot],
        makers: Mapping[_Sight, _Maker],
    ) -> Offence:
        maker, setter = (makers.get(sight) for sight in _sights_of(difference))
        left = difference.kind is Kind.LEFT_BEHIND
        if left:
            maker = setter = _Maker(self.course.legs[change.leg].batch.name, change.at)
        owners = [f"made by {maker}"] if maker else []
        owners += [f"set by {setter}"] if setter and maker and setter.batch != maker.batch else []
        row = f"{difference} ({'; '.join(owners)})" if owners else str(difference)
        if not left:
            row += f" by {change.at}"
            if change.leg < len(self.course.legs) - 1:
                last = self.course.legs[-1].path.name
                row += f"; {_FILES.get(last, last)} does not {_UNDOING[difference.kind]}"
        return Offence(row, difference.change(change.at))


def holdings_of(identities: Iterable[str]) -> Look[Holdings]:
    """Return what to look with at the data, row by row where tables are named."""
    names = set(identities)

    def look(session: psycopg.Connection) -> Holdings:
        tables = [one for one in tables_of(session) if one.identity in names]
        rows = take_rows(session, by_name(tables, tables).values())
        return Holdings(take_contents(session), rows)

    return look


def turning_legs(
    course: Course, marks: Sequence[Snapshot], differences: Sequence[Difference]
) -> set[int]:
    """Choose the legs to step through where it is known what stood after each.

    `marks` begin with what stood before the first.
    """

    def turn(sight: _Sight, legs: range) -> Iterator[int]:
        turns = (leg for leg in reversed(legs) if sight.of(marks[leg]) != sight.of(marks[leg + 1]))
        yield from islice(turns, 1)

    before, since = range(course.since), range(course.since, len(course.legs))
    return {
        leg
        for one in differences
        for sight in _sights_of(one)
        for leg in (*turn(sight, before), *turn(sight, since))
    }


def _sights_of(difference: Difference) -> tuple[_Sight, _Sight]:
    """Return what to watch of an object: whether it stands, and what becomes of its attribute."""
    return _Sight(difference.key), _Sight(difference.key, difference.attribute)


def _last(
    changes: Sequence[Change[Seen]], watched: Callable[[Seen], object]
) -> Change[Seen] | None:
    """Return the last change after which what is watched was another."""
    turns = (one for one in reversed(changes) if watched(one.before) != watched(one.after))
    return next(turns, None)


def _figures(holdings: Holdings, identity: str) -> object:
    contents = holdings.contents
    return contents.tables.get(identity) or contents.sequences.get(identity)


def _lost(name: str, before: Mapping[str, Rows], after: Mapping[str, Rows]) -> str:
    """Name the first rows of a table that are not as they were."""
    if name not in before or name not in after:
        return ""
    losses = compare_rows(name, before[name], after[name])
    more = [f"… and {len(losses) - _ROWS} more"] if len(losses) > _ROWS else []
    return "; ".join([*map(str, losses[:_ROWS]), *more])
