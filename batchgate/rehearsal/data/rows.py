"""What a rollback must prove of the data: every row stands as it stood."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from batchgate.batches import roll_back_batch
from batchgate.catalog import Snapshot, compare
from batchgate.contents import ContentsDifference, compare_contents, take_contents
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.blame import Blamed
from batchgate.rehearsal.course import Course, leg
from batchgate.rehearsal.data.film import MIGRATION, ROLLBACK, shoot
from batchgate.rehearsal.data.losses import blamed, compare_rows
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import apply, below, shown, watched
from batchgate.states import (
    SHOWN,
    Differing,
    Offence,
    State,
    listed,
    offence_rows,
    take_state,
)
from batchgate.suite import Batch
from batchgate.wholes import wholes_of

# Far from any that a server or an author has, and not by whole hours.
_ELSEWHERE = "Asia/Kathmandu"
_ZONED = "timestamp with time zone"
# What rows live in, are found by, or must obey.
_OF_ROWS = ("relation", "inheritance", "column", "constraint", "index", "trigger", "rule")
_FIX = (
    "Keep what the migration changes in a table of the batch's own, and let the rollback bring"
    " back exactly that."
)


def restores_data(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback restores every row that stood before."""
    before, applied, differences = _there_and_back(heights, batch)
    expected = "rollback to restore the data"
    _expect_restored(heights, batch, differences, expected)
    if _depends_on_zone(before.schema, applied.schema):
        *_, elsewhere = _there_and_back(heights, batch, _ELSEWHERE)
        _expect_restored(heights, batch, elsewhere, f"{expected} in any time zone", _ELSEWHERE)
    return Evidence.of(
        tuple(differences),
        unexercised=tuple(
            f"the batch changes {table}, which has no row in this data"
            for table in touched_and_empty(before, applied)
        ),
    )


def touched(before: State, applied: State) -> list[str]:
    """List the tables that stood before and that the batch changes, in schema or in data."""
    tables = before.contents.tables
    found = {each.identity for each in compare_contents(before.contents, applied.contents)}
    for difference in compare(before.schema, applied.schema):
        if difference.class_ in _OF_ROWS and difference.attribute not in ("acl", "owner"):
            found |= _tables_of(before.schema, applied.schema, difference.key)
    return sorted(found & tables.keys())


def touched_and_empty(before: State, applied: State) -> list[str]:
    """List those of them without a row, of which nothing can be said."""
    empty = before.contents.not_exercised()
    return [name for name in touched(before, applied) if name in empty]


def _tables_of(before: Snapshot, applied: Snapshot, key: tuple[str, str]) -> set[str]:
    facts = before.facts if key in before.facts else applied.facts
    if key[0] == "trigger" and facts[key].get("definition") is None:
        # It guards a foreign key of another table, which is said there.
        return set()
    return {name for class_, name in (key, *wholes_of(facts, key)) if class_ == "relation"}


def _depends_on_zone(before: Snapshot, applied: Snapshot) -> bool:
    """Tell whether a column was turned into one with a time zone, or out of one."""
    return any(
        difference.class_ == "column"
        and difference.attribute == "type"
        and (_ZONED in str(difference.before)) is not (_ZONED in str(difference.after))
        for difference in compare(before, applied)
    )


def _there_and_back(
    heights: Heights, batch: Batch, zone: str = ""
) -> tuple[State, State, list[ContentsDifference]]:
    """Apply and roll back: what stood before, what stood then, and what differs in the end."""
    with watched(heights, below(heights, batch)) as (database, observer):
        before = take_state(observer)
        apply(heights, database, batch)
        applied = take_state(observer)
        with heights.connect(database) as session:
            if zone:
                session.execute("select set_config('TimeZone', %s, false)", (zone,))
            roll_back_batch(session, heights.settings, batch)
        differences = compare_contents(before.contents, take_contents(observer))
        return before, applied, _but_fresh(observer, before.schema, differences)


def _but_fresh(
    observer: psycopg.Connection, before: Snapshot, differences: Sequence[ContentsDifference]
) -> list[ContentsDifference]:
    """Leave out materialized views that hold what they would hold now: those before were stale."""
    views = [each for each in differences if each.after and _is_materialized(before, each.identity)]
    if not views:
        return list(differences)
    try:
        with observer.transaction(force_rollback=True):
            for view in views:
                name = sql.SQL(view.identity)
                observer.execute(sql.SQL("refresh materialized view {}").format(name))
            found = take_contents(observer)
    except psycopg.Error:
        # One that cannot be made anew cannot be told from one that lost something.
        return list(differences)
    fresh = {each.identity for each in views if found.tables.get(each.identity) == each.after}
    return [each for each in differences if each.identity not in fresh]


def _is_materialized(snapshot: Snapshot, identity: str) -> bool:
    return snapshot.facts.get(("relation", identity), {}).get("kind") == "materialized view"


def _expect_restored(
    heights: Heights,
    batch: Batch,
    differences: Sequence[ContentsDifference],
    expected: str,
    zone: str = "",
) -> None:
    """Raise BatchFailed where something differs, by key and column and with the line."""
    hard = [each for each in differences if not each.advanced]
    if not hard:
        return
    frames = shoot(heights, batch, {each.identity for each in hard}, zone=zone)
    first, last = frames[0].named, frames[-1].named
    losses = [
        loss
        for name in sorted(first.keys() & last.keys())
        for loss in compare_rows(name, first[name], last[name])
    ]
    told = {loss.table for loss in losses}
    others = [each for each in hard if each.identity not in told]
    offences = blamed(losses[:SHOWN], frames)
    offences += blamed_elsewhere(heights, batch, others[: SHOWN - len(offences)])
    found: list[Differing] = list(losses)
    found += others
    rest = found[len(offences) :]
    advanced = [each for each in differences if each.advanced]
    raise not_as_before(heights, batch, offences, rest, expected, harmless=advanced)


def blamed_elsewhere(
    heights: Heights, batch: Batch, differences: Sequence[ContentsDifference]
) -> list[Offence]:
    """Say of what has no rows to be told by which statement changed it last."""
    course = Course(below(heights, batch), (leg(batch, MIGRATION), leg(batch, ROLLBACK)))
    return Blamed(heights, course).of_contents(differences) if differences else []


def not_as_before(
    heights: Heights,
    batch: Batch,
    offences: Sequence[Offence],
    rest: Sequence[Differing],
    expected: str,
    *,
    fix: str = _FIX,
    harmless: Sequence[Differing] = (),
) -> BatchFailed:
    """Return the message that names those that are shown of the rows that are not as due."""
    found = len(offences) + len(rest)
    return BatchFailed(
        f"batch {batch.name}: expected {expected}, found {found} difference"
        f"{'s' if found > 1 else ''}",
        at=next((each.at for each in offences if each.at), shown(heights, batch.rollback)),
        rows=offence_rows(offences, found),
        fix=fix,
        particulars=listed(offences, rest, harmless),
    )
