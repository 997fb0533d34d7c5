"""What a rollback must prove of the schema: there and back, back again, and where nothing is."""

from batchgate.catalog import take_snapshot
from batchgate.heights import Heights
from batchgate.rehearsal.application import expect_present
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import (
    apply,
    below,
    refusal,
    roll_back,
    run,
    shown,
    there_and_back,
    watched,
)
from batchgate.states import WITHOUT_BATCH, expect_schema, expect_unchanged, take_state
from batchgate.suite import Batch


def restores_schema(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback restores the schema to the last attribute."""
    before, _, after = there_and_back(heights, batch)
    path = shown(heights, batch.rollback)
    expected = "rollback to restore the schema"
    return Evidence(expect_schema(batch, path, before.schema, after.schema, expected))


def applies_again(heights: Heights, batch: Batch) -> Evidence:
    """Prove that after a rollback the batch applies again, with the same schema as before."""
    with watched(heights, below(heights, batch)) as (database, observer):
        apply(heights, database, batch)
        first = take_snapshot(observer)
        roll_back(heights, database, batch)
        apply(heights, database, batch)
        expect_present(observer, heights, batch, expected=True, when="applied again")
        second = take_snapshot(observer)
    path = shown(heights, batch.rollback)
    return Evidence(expect_schema(batch, path, first, second, "the same schema when applied again"))


def harmless_where_absent(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback changes nothing where the batch never ran."""
    with watched(heights, below(heights, batch)) as (database, observer):
        before = take_state(observer)
        ran = run(heights, database, batch, batch.rollback)
        notes = expect_unchanged(batch, ran.path, before, take_state(observer), WITHOUT_BATCH)
    return Evidence(refusal(ran) or notes)
