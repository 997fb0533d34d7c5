"""What an online route must prove: it ends where the migration ends, and is undone as that is."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Generic

import psycopg

from batchgate.catalog import Difference, Kind, Snapshot, collapse, compare, take_snapshot
from batchgate.contents import Contents, compare_contents, take_contents
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.printed import printed_failures
from batchgate.rehearsal.application import expect_present
from batchgate.rehearsal.blame import Blamed
from batchgate.rehearsal.course import Change, Course, Leg, Look, Seen, leg, retrace
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.routes.steadiness import Sessions, judge_contents
from batchgate.rehearsal.stage import apply, below, refusal, run, watched
from batchgate.script import Script
from batchgate.sqltext import Statement
from batchgate.states import (
    SECOND_RUN,
    SHOWN,
    Harmless,
    Notes,
    Offence,
    State,
    expect_data,
    expect_schema,
    expect_unchanged,
    listed,
    notes_of,
    offence_rows,
    take_state,
)
from batchgate.suite import Batch
from batchgate.wholes import Key

ONLINE = "migration.online.sql"
_FIX = "Let both files make the same, down to names and definitions."
_RESTORED = f"rollback to restore the start after {ONLINE}"


def ends_as_migration(heights: Heights, batch: Batch) -> Evidence:
    """Prove that both routes end alike, and that validation and rollback hold after either."""
    with watched(heights, below(heights, batch)) as (database, observer):
        start = take_state(observer)
        apply(heights, database, batch)
        with _gone_online(heights, batch) as (online, second):
            reached = take_state(second)
            ordinary = take_state(observer)
            harmless = _expect_same_schema(heights, batch, ordinary, reached)
            advanced, unsteady = _expect_same_rows(
                heights, batch, ordinary, reached, (observer, second)
            )
            expect_present(second, heights, batch, expected=True, when=f"after {ONLINE}")
            restored = _expect_restored(heights, batch, start, online, second)
    _expect_valid(heights, batch)
    nothing = ("neither route changed anything on this data",) if start == reached else ()
    harmless += advanced
    notes = notes_of(harmless) + unsteady + notes_of(restored)
    return Evidence(notes, nothing, listed(harmless=harmless + restored))


def second_online_run(heights: Heights, batch: Batch) -> Evidence:
    """Prove that a second run of the online route changes nothing, or is refused."""
    with _gone_online(heights, batch) as (database, observer):
        before = take_state(observer)
        ran = run(heights, database, batch, batch.online)
        after = take_state(observer)
    twice = Course(below(heights, batch), (leg(batch, ONLINE), leg(batch, ONLINE)), since=1)
    blame = Blamed(heights, twice)
    harmless = expect_unchanged(batch, ran.path, before, after, SECOND_RUN, blame)
    return Evidence.of(harmless, refused=refusal(ran))


@contextmanager
def _gone_online(heights: Heights, batch: Batch) -> Iterator[tuple[str, psycopg.Connection]]:
    """Give a clone where the online route was taken, and a session that only looks."""
    with watched(heights, below(heights, batch)) as (database, observer):
        ran = run(heights, database, batch, batch.online)
        if not ran.succeeded:
            raise ran.failure(f"{ONLINE} to succeed")
        yield database, observer


def _expect_same_schema(
    heights: Heights, batch: Batch, ordinary: State, reached: State
) -> Harmless:
    """Raise BatchFailed where the online route ends in another schema."""
    differences = compare(ordinary.schema, reached.schema)
    hard = collapse(each for each in differences if not each.soft)
    soft = tuple(each for each in differences if each.soft)
    if hard:
        lines = _Lines(heights, batch, take_snapshot)
        told = [(_facts_of(each.key), Offence(_in_words(each), each.change())) for each in hard]
        raise lines.failure("end in the schema of migration.sql", told, soft)
    return soft


def _expect_same_rows(
    heights: Heights,
    batch: Batch,
    ordinary: State,
    reached: State,
    sessions: tuple[psycopg.Connection, psycopg.Connection],
) -> tuple[Harmless, Notes]:
    """Raise BatchFailed where the online route ends in other rows than any run of the other."""
    differences = compare_contents(ordinary.contents, reached.contents)
    hard = [each for each in differences if not each.advanced]
    advanced = tuple(each for each in differences if each.advanced)
    if not hard:
        return advanced, ()
    with watched(heights, below(heights, batch)) as (database, again):
        apply(heights, database, batch)
        judged = judge_contents(hard, Sessions(sessions[0], again, sessions[1]))
    if judged.offences:
        rows = _Lines(heights, batch, take_contents)
        told = [(_held_by(name), offence) for name, offence in judged.offences]
        raise rows.failure("end in the rows of migration.sql", told, advanced)
    return advanced, tuple(judged.notes)


def _expect_restored(
    heights: Heights, batch: Batch, start: State, database: str, observer: psycopg.Connection
) -> Harmless:
    """Raise BatchFailed where the rollback does not take the online route back."""
    if not batch.rollback:
        return ()
    ran = run(heights, database, batch, batch.rollback)
    if not ran.succeeded:
        raise ran.failure(f"rollback to succeed after {ONLINE}")
    end = take_state(observer)
    there_and_back = (leg(batch, ONLINE), leg(batch, "rollback.sql"))
    blame = Blamed(heights, Course(below(heights, batch), there_and_back))
    soft = expect_schema(batch, ran.path, start.schema, end.schema, _RESTORED, blame)
    return soft + expect_data(batch, ran.path, start.contents, end.contents, _RESTORED, blame)


def _expect_valid(heights: Heights, batch: Batch) -> None:
    """Raise BatchFailed where the validation does not pass after the online route."""
    if not batch.validation:
        return
    with _gone_online(heights, batch) as (database, _):
        ran = run(heights, database, batch, batch.validation)
    if not ran.succeeded:
        raise ran.failure(f"validation to pass after {ONLINE}")
    if printed := printed_failures(ran.run):
        raise BatchFailed(
            f"batch {batch.name}: expected validation to pass after {ONLINE}, "
            "it printed a failure and exited 0",
            at=ran.path,
            rows=printed[:SHOWN],
            fix="Check what both routes make, and nothing that only one of them does.",
        )


class _Lines(Generic[Seen]):
    """Finds the statement of either route that made something what it is: dear, so asked late."""

    def __init__(self, heights: Heights, batch: Batch, look: Look[Seen]) -> None:
        assert batch.online is not None
        assert batch.migration is not None
        self._heights, self._batch, self._look = heights, batch, look
        self._files = (batch.online, batch.migration)

    def failure(
        self,
        expected: str,
        found: Sequence[tuple[Callable[[Seen], Hashable], Offence]],
        harmless: Harmless,
    ) -> BatchFailed:
        """Return the message, with a line for each difference that it shows.

        What the online route left out is missing at its end.
        """
        offences = [self._blamed(offence, sight) for sight, offence in found[:SHOWN]]
        offences += [offence for _, offence in found[SHOWN:]]
        online = {change.at for change in self._of_online}
        return BatchFailed(
            f"batch {self._batch.name}: expected {ONLINE} to {expected}, found {len(found)} "
            f"difference{'s' if len(found) > 1 else ''}",
            at=next((each.at for each in offences if each.at in online), self._end),
            rows=offence_rows(offences, len(found)),
            fix=_FIX,
            particulars=listed(offences, harmless=harmless),
        )

    def _blamed(self, offence: Offence, sight: Callable[[Seen], Hashable]) -> Offence:
        """Add to a difference the line that made it so: the online route's, else the other's."""
        for changes in (self._of_online, self._of_migration):
            turned = [each.at for each in changes if sight(each.before) != sight(each.after)]
            if turned:
                change = replace(offence.change, at=turned[-1])
                return Offence(f"{offence.row} by {turned[-1]}", change)
        return offence

    @cached_property
    def _of_online(self) -> list[Change[Seen]]:
        return self._retraced(self._files[0])

    @cached_property
    def _of_migration(self) -> list[Change[Seen]]:
        return self._retraced(self._files[1])

    def _retraced(self, path: Path) -> list[Change[Seen]]:
        course = Course(below(self._heights, self._batch), (Leg(self._batch, path),))
        return retrace(self._heights, course, self._look)

    @property
    def _end(self) -> str:
        """Name the last statement of the online route."""
        script = Script(self._files[0], self._heights.settings.root)
        statements = [part.line for part in script.parts if isinstance(part, Statement)]
        return script.at(statements[-1] if statements else 1)


def _facts_of(key: Key) -> Callable[[Snapshot], Hashable]:
    return lambda seen: repr(seen.facts.get(key))


def _held_by(name: str) -> Callable[[Contents], Hashable]:
    return lambda seen: seen.tables.get(name) or seen.sequences.get(name)


def _in_words(difference: Difference) -> str:
    """Say which of the two routes a difference is of."""
    text = str(difference).removeprefix(f"{difference.kind}: ")
    return {
        Kind.LEFT_BEHIND: f"only after {ONLINE}: {text}",
        Kind.DESTROYED: f"only after migration.sql: {text}",
        Kind.CHANGED: f"migration.sql → {ONLINE}: {text}",
    }[difference.kind]
