"""What a rollback must prove of the schema: there and back, again, and where nothing is."""

from dataclasses import replace

from batchgate.catalog import take_snapshot
from batchgate.heights import Heights
from batchgate.rehearsal.application import expect_present
from batchgate.rehearsal.blame import Blamed
from batchgate.rehearsal.course import Course, leg
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.legs import Legs
from batchgate.rehearsal.stage import (
    apply,
    below,
    refusal,
    roll_back,
    run,
    shown,
    watched,
)
from batchgate.states import (
    SECOND_ROLLBACK,
    WITHOUT_BATCH,
    expect_schema,
    expect_unchanged,
    take_state,
)
from batchgate.suite import Batch

_THERE = "migration.sql"
_BACK = "rollback.sql"


def restores_schema(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback restores the schema to the last attribute."""
    with watched(heights, below(heights, batch)) as (database, observer):
        before = take_snapshot(observer)
        apply(heights, database, batch)
        roll_back(heights, database, batch)
        after = take_snapshot(observer)
    path = shown(heights, batch.rollback)
    expected = "rollback to restore the schema"
    blame = _blamed(heights, batch, _THERE, _BACK)
    return Evidence.of(expect_schema(batch, path, before, after, expected, blame))


def applies_again(heights: Heights, batch: Batch) -> Evidence:
    """Prove that after a rollback the batch applies again, with the same schema as before."""
    with watched(heights, below(heights, batch)) as (database, observer):
        legs = Legs(heights, batch, database)
        with legs.carried():
            legs.go("apply", batch.migration)
            first = take_snapshot(observer)
            legs.go("roll back", batch.rollback)
            legs.go("apply again", batch.migration)
            expect_present(observer, heights, batch, expected=True, when="applied again")
            second = take_snapshot(observer)
    path = shown(heights, batch.rollback)
    expected = "the same schema when applied again"
    blame = _blamed(heights, batch, _THERE, _BACK, _THERE, since=1)
    with legs.carried():
        evidence = Evidence.of(expect_schema(batch, path, first, second, expected, blame))
    return replace(evidence, particulars=legs.along(evidence.particulars))


def harmless_where_absent(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback changes nothing where the batch never ran."""
    with watched(heights, below(heights, batch)) as (database, observer):
        before = take_state(observer)
        ran = run(heights, database, batch, batch.rollback)
        after = take_state(observer)
    blame = _blamed(heights, batch, _BACK)
    harmless = expect_unchanged(batch, ran.path, before, after, WITHOUT_BATCH, blame)
    return Evidence.of(harmless, refused=refusal(ran))


def harmless_a_second_time(heights: Heights, batch: Batch) -> Evidence:
    """Prove that a second rollback changes nothing, or is refused and changes nothing."""
    with watched(heights, below(heights, batch)) as (database, observer):
        apply(heights, database, batch)
        roll_back(heights, database, batch)
        before = take_state(observer)
        ran = run(heights, database, batch, batch.rollback)
        after = take_state(observer)
    blame = _blamed(heights, batch, _THERE, _BACK, _BACK, since=2)
    harmless = expect_unchanged(batch, ran.path, before, after, SECOND_ROLLBACK, blame)
    return Evidence.of(harmless, refused=refusal(ran))


def _blamed(heights: Heights, batch: Batch, *names: str, since: int = 0) -> Blamed:
    """Return who finds the lines to blame in a batch's files, run from the height below it."""
    legs = tuple(leg(batch, name) for name in names)
    return Blamed(heights, Course(below(heights, batch), legs, since))
