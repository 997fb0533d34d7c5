"""The time between a migration and its rollback: what is written then, and what becomes of it."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import psycopg

from batchgate.batches import FileRun
from batchgate.catalog import compare
from batchgate.contents import LARGE_OBJECTS, Contents, ContentsDifference, take_contents
from batchgate.heights import Heights
from batchgate.keys import KeyTable, read_tables
from batchgate.rehearsal.data.aftermath import held_rows, without_bound
from batchgate.rehearsal.data.inside import Inside, gone_with_it, held_inside
from batchgate.rehearsal.data.losses import LEFT_BEHIND, Loss
from batchgate.rehearsal.data.rows import touched
from batchgate.rehearsal.data.scene import Scene
from batchgate.rehearsal.data.sights import PARTITION, Rows, figures, tables_of
from batchgate.rehearsal.data.sources import Pick
from batchgate.rehearsal.data.survival import Readings, Terms, compare_survival
from batchgate.rehearsal.data.writes import Writing, write
from batchgate.rehearsal.stage import apply, below, run, watched
from batchgate.samples import sample_of
from batchgate.sqltext import read_sql
from batchgate.states import State, take_state
from batchgate.suite import Batch

_PICKED = 2
_DOING = ("trigger", "rule", "routine")


class Ways(NamedTuple):
    """What is written in between: the sample of the batch, copies of rows, values in rows."""

    sample: bool
    inserts: bool
    updates: bool
    words: str


@dataclass(frozen=True)
class Outcome:
    """What became of what was written; `states` are those around a rollback that was refused."""

    refused: FileRun | None = None
    states: tuple[State, ...] = ()
    losses: tuple[Loss, ...] = ()
    others: tuple[ContentsDifference, ...] = ()
    notes: tuple[str, ...] = ()
    unexercised: tuple[str, ...] = ()
    unread: frozenset[str] = field(default=frozenset())


class _Stand(NamedTuple):
    """What is known once the batch stands, before anything is written."""

    before: State
    applied: State
    scene: Scene
    read: frozenset[str]
    rows_before: Mapping[str, Rows]
    rows_applied: Mapping[str, Rows]


class _Written(NamedTuple):
    """What stands once there was written, and what of it lives in what the batch made."""

    state: State
    writing: Writing
    sums: Mapping[str, str]
    rows: Mapping[str, Rows]
    inside: list[Inside]


class Meantime:
    """Applies a batch, writes as an application would, rolls back, and compares."""

    def __init__(self, heights: Heights, batch: Batch, ways: Ways) -> None:
        self._heights = heights
        self._batch = batch
        self._ways = ways

    def rehearse(self) -> Outcome:
        """Go there and back; where checksums tell that more is lost, go again and read it."""
        outcome = self._rehearse(frozenset())
        return self._rehearse(outcome.unread) if outcome.unread else outcome

    def write_again(self, database: str, observer: psycopg.Connection) -> None:
        """Write the same to a database to which the batch was applied."""
        with watched(self._heights, below(self._heights, self._batch)) as (_, first):
            self._write(database, first, self._stand(first, observer, frozenset()))

    def _rehearse(self, also: frozenset[str]) -> Outcome:
        heights, base = self._heights, below(self._heights, self._batch)
        with watched(heights, base) as (_, first), watched(heights, base) as (database, observer):
            apply(heights, database, self._batch)
            stand = self._stand(first, observer, also)
            scene = stand.scene
            inside = held_inside(observer, scene.now, scene.sights)
            writing = self._write(database, first, stand)
            written = _Written(
                State(stand.applied.schema, take_contents(observer)),
                writing,
                figures(observer, scene.used.values()),
                scene.read(observer, scene.used, stand.read),
                gone_with_it(inside, held_inside(observer, scene.now, scene.sights)),
            )
            ran = run(heights, database, self._batch, self._batch.rollback)
            if not ran.succeeded:
                return Outcome(refused=ran, states=(written.state, take_state(observer)))
            return self._judge(observer, stand, written)

    def _stand(
        self, first: psycopg.Connection, observer: psycopg.Connection, also: frozenset[str]
    ) -> _Stand:
        base = below(self._heights, self._batch)
        before = State(self._heights.schema_at(base), take_contents(first))
        applied = take_state(observer)
        scene = Scene(tables_of(first), tables_of(observer))
        read = scene.changed(first, observer) | also
        return _Stand(
            before,
            applied,
            scene,
            read,
            scene.read(first, scene.first, read),
            scene.read(observer, scene.used, read),
        )

    def _write(self, database: str, first: psycopg.Connection, stand: _Stand) -> Writing:
        """Load the sample of the batch, then write to all tables that the batch may touch."""
        heights, ways = self._heights, self._ways
        if ways.sample and (path := sample_of(self._batch, heights.settings)):
            ran = run(heights, database, self._batch, path)
            if not ran.succeeded:
                raise ran.failure(f"sample data {ran.path} to load")
        before = read_tables(first)
        concerned = self._concerned(before, stand)
        sights = {
            name: sight._replace(key=stand.scene.used[name].key)
            for name, sight in stand.scene.sights.items()
            if name in concerned
        }
        picks = {
            name: _picks(rows, stand.rows_applied[name], sights[name].retyped)
            for name, rows in stand.rows_before.items()
            if name in sights and sights[name].key
        }
        with heights.connect(database) as session:
            return write(
                session, first, before, sights, picks, inserts=ways.inserts, updates=ways.updates
            )

    def _concerned(self, tables: Mapping[str, KeyTable], stand: _Stand) -> set[str]:
        """Name the tables that the batch changes or its rollback names, and their kin.

        Those whose rows change with theirs, and those that their rows refer to.
        """
        assert self._batch.rollback is not None
        text = read_sql(self._batch.rollback).lower()
        concerned = set(touched(stand.before, stand.applied))
        concerned |= {one.identity for one in stand.scene.stood if one.relation.lower() in text}
        while more := {
            name
            for name, table in tables.items()
            if name not in concerned
            and any(link.follows and link.other in concerned for link in table.links)
        }:
            concerned |= more
        above = {link.other for name in concerned & tables.keys() for link in tables[name].links}
        return concerned | above

    def _judge(self, observer: psycopg.Connection, stand: _Stand, written: _Written) -> Outcome:
        """Compare what stands after the rollback with what stood before and what was written."""
        sights = stand.scene.end(tables_of(observer))
        sums = figures(observer, sights.values())
        unread = {
            name
            for name in stand.scene.used.keys() - stand.read
            if written.sums[name] != sums.get(name)
        }
        if unread:
            return Outcome(unread=frozenset(unread))
        losses, made = _compare(stand, written, stand.scene.read(observer, sights, stand.read))
        held = held_rows(observer, made, sights) if made else set()
        losses += [Loss(LEFT_BEHIND, *row) for row in sorted(made - held)]
        losses, notes = without_bound(observer, losses, written.writing, sights)
        notes += [str(each) for each in written.inside]
        notes += _staying(held)
        end = take_contents(observer)
        unexercised = self._unexercised(stand, written)
        return Outcome(
            losses=tuple(losses),
            others=tuple(_others(stand, written.state.contents, end)),
            notes=tuple(notes),
            unexercised=tuple(unexercised),
        )

    def _unexercised(self, stand: _Stand, written: _Written) -> list[str]:
        """Name the tables that the batch changes and into which nothing could be written."""
        before, after = stand.applied.contents.tables, written.state.contents.tables
        names = {name: sight.now.identity for name, sight in stand.scene.sights.items()}
        changed = [name for name in touched(stand.before, stand.applied) if name in names]
        still = [name for name in changed if before.get(names[name]) == after.get(names[name])]
        empty = [name for name in still if not stand.before.contents.tables[name].rows]
        if len(still) == len(changed):
            empty = still
        return [f"the batch changes {name}, into which nothing could be written" for name in empty]


def _compare(
    stand: _Stand, written: _Written, end: Mapping[str, Rows]
) -> tuple[list[Loss], set[tuple[str, str]]]:
    """Compare the tables read row by row; tell apart the rows that the batch made and that stay."""
    losses: list[Loss] = []
    made: set[tuple[str, str]] = set()
    triggers = any(
        difference.class_ in _DOING
        for difference in compare(stand.before.schema, stand.applied.schema)
    )
    for name in sorted(stand.read):
        readings = Readings(
            stand.rows_before[name], stand.rows_applied[name], written.rows[name], end[name]
        )
        sight = stand.scene.sights.get(name)
        terms = Terms(
            retyped=sight.retyped if sight else frozenset(),
            computed=sight.computed if sight else frozenset(),
            triggers=triggers,
            ours=partial(written.writing.holds, name),
        )
        found, stays = compare_survival(name, readings, terms)
        losses += found
        made |= {(name, key) for key in stays}
    return losses, made


def _picks(before: Rows, applied: Rows, retyped: Collection[str]) -> list[Pick]:
    """Choose a row that the batch changed and one that it did not, or two of one kind."""
    names = (set(before.columns) & set(applied.columns)) - {PARTITION} - set(retyped)
    changed: list[Pick] = []
    same: list[Pick] = []
    for key in sorted((before.cells or {}).keys() & (applied.cells or {}).keys()):
        was, stands = before.row(key) or {}, applied.row(key) or {}
        differing = frozenset(name for name in names if was[name] != stands[name])
        found = changed if differing else same
        if len(found) < _PICKED:
            found.append(Pick(key, differing))
        if changed and same:
            break
    return [*changed[:1], *same, *changed[1:]][:_PICKED]


def _staying(held: Collection[tuple[str, str]]) -> list[str]:
    """Count the rows that the batch made and that stay."""
    counts = Counter(table for table, _ in held)
    return [
        f"{'1 row' if count == 1 else f'{count} rows'} of {table} that the batch made"
        f" {'stays' if count == 1 else 'stay'}: others refer to {'it' if count == 1 else 'them'}"
        for table, count in sorted(counts.items())
    ]


def _others(stand: _Stand, written: Contents, end: Contents) -> Iterator[ContentsDifference]:
    """Yield the sequences that went back, and large objects that are not as they were."""
    before, applied = stand.before.contents, stand.applied.contents
    for name, was in before.sequences.items():
        stands = end.sequences.get(name)
        since = written.sequences.get(name, was)
        drawn = name in applied.sequences and since.place > applied.sequences[name].place
        expected = max(was, since, key=lambda each: each.place) if drawn else was
        if stands is not None and stands.place < expected.place:
            yield ContentsDifference(name, expected, stands)
    objects = [each.tables.get(LARGE_OBJECTS) for each in (before, applied, written, end)]
    if objects[1] == objects[2] and objects[0] != objects[3]:
        yield ContentsDifference(LARGE_OBJECTS, objects[0], objects[3])
