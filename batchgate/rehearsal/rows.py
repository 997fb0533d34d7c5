"""What a rollback must prove of the data: every row stands as it stood."""

from batchgate.heights import Heights
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import shown, there_and_back
from batchgate.states import changed_and_empty, expect_data
from batchgate.suite import Batch


def restores_data(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback restores every row that stood before."""
    before, applied, after = there_and_back(heights, batch)
    path = shown(heights, batch.rollback)
    expected = "rollback to restore the data"
    notes = expect_data(batch, path, before.contents, after.contents, expected)
    return Evidence(
        notes,
        tuple(
            f"the batch changes {table}, which has no row in this data"
            for table in changed_and_empty(before, applied)
        ),
    )
