"""What a migration must prove of itself: it applies, and a second run does no harm."""

import psycopg

from batchgate.batches import FileRun
from batchgate.errors import BatchFailed
from batchgate.gates.presence import is_present
from batchgate.heights import Heights
from batchgate.rehearsal.blame import Blamed
from batchgate.rehearsal.changes import changes_between
from batchgate.rehearsal.course import Course, leg
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.legs import Legs
from batchgate.rehearsal.stage import apply, below, refusal, run, watched
from batchgate.rehearsal.written import hand_in, rows_written, written_since
from batchgate.states import SECOND_RUN, expect_unchanged, take_state
from batchgate.suite import Batch


def applies(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the migration goes through, and that `present` tells before from after."""
    with watched(heights, below(heights, batch)) as (database, observer):
        legs = Legs(heights, batch, database)
        with legs.carried():
            expect_present(observer, heights, batch, expected=False, when="before it is applied")
            before, counted = take_state(observer), rows_written(observer)
            ran = legs.go("apply", batch.migration, then=hand_in)
            expect_present(observer, heights, batch, expected=True, when="once it is applied")
            after = take_state(observer)
            written = written_since(counted, rows_written(observer))
    nothing = ("the migration changed nothing on this data",) if before == after else ()
    return Evidence(_said(ran), nothing, legs.along(changes_between(before, after, written)))


def second_run(heights: Heights, batch: Batch) -> Evidence:
    """Prove that a second run changes nothing, or is refused and changes nothing."""
    with watched(heights, below(heights, batch)) as (database, observer):
        apply(heights, database, batch)
        before = take_state(observer)
        ran = run(heights, database, batch, batch.migration)
        after = take_state(observer)
    twice = (leg(batch, "migration.sql"), leg(batch, "migration.sql"))
    blame = Blamed(heights, Course(below(heights, batch), twice, since=1))
    harmless = expect_unchanged(batch, ran.path, before, after, SECOND_RUN, blame)
    return Evidence.of(harmless, refused=refusal(ran))


def expect_present(
    session: psycopg.Connection, heights: Heights, batch: Batch, *, expected: bool, when: str
) -> None:
    """Raise BatchFailed where `present` does not say what it should."""
    assert batch.migration is not None
    if batch.present and is_present(session, batch) is not expected:
        raise BatchFailed(
            f"batch {batch.name}: expected `present` to be {str(expected).lower()} {when}, "
            f"found {str(not expected).lower()}",
            at=f"{heights.settings.relative(batch.migration)}:{batch.header.line('present')}",
            fix="Ask for something that stands exactly while the batch does.",
        )


def _said(ran: FileRun) -> tuple[str, ...]:
    """Return what a file said in words; rows that it printed may be people's data."""
    words = (output.text for output in ran.run.outputs if output.kind in ("notice", "echo"))
    return tuple(line for text in words for line in text.splitlines())
