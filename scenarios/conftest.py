"""Rows that several scenarios stand on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from batchgate.fixtures import AtBatch
from batchgate.sessions import Session

ONE_ROW_EACH = Path(__file__).parent / "rows" / "one_row_each.sql"


@pytest.fixture
def one_row_each(at_batch: AtBatch) -> Callable[[str], Session]:
    """Open a session where a batch stands and every table has a row, the customers five.

    From batch 4 on: the records of both backfills have their row too.
    """

    def filled(batch: str) -> Session:
        writer = at_batch(batch, sample=False).session("writer")
        writer.run(ONE_ROW_EACH.read_text(encoding="utf-8"))
        return writer

    return filled
