"""Do all files do the same by psql and through the harness, in order, in reverse, out of turn?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgate.catalog import compare
from batchgate.fixtures import AtBatch, Database
from batchgate.rehearsal import State
from batchgate.suite import Batch
from prompt import BATCHES, ROOT, STRICT, Said, by_harness, by_psql

pytestmark = pytest.mark.batches

BACKFILLS = ("03_backfill_customers", "04_backfill_conversations_messages")
GATES = "06_data_quality_gates"
TOP = BATCHES[-1]
WITH_ONLINE = ["05_add_integrity_indexes", "07_tighten_constraints"]


def steady(said: Said) -> list[str]:
    """Return what was said but for the customers taken at random and the server's statistics."""
    lines = [line for line in said.lines if "scans=" not in line]
    if "=== GATE 7: Random Sampling - Customer Linkage ===" in lines:
        start = lines.index("=== GATE 7: Random Sampling - Customer Linkage ===")
        del lines[start : lines.index("=== GATE 8: Message Role Distribution ===")]
    return lines


def shape(state: State) -> dict[str, int]:
    """Return the number of rows in each table: ids and moments are each run's own."""
    return {name: table.rows for name, table in state.contents.tables.items()}


def way_up(*, sample: bool) -> Iterator[str]:
    """Give the files of all batches in order, and what the sample data adds at each height."""
    for name in BATCHES:
        files = (f"{name}/migration.sql", f"{name}/validation.sql")
        yield from (file for file in files if (ROOT / "sql" / file).exists())
        loaded = f"scenarios/sample/{name[:2]}.sql"
        if sample and (ROOT / loaded).exists():
            yield f"../{loaded}"


def way_down() -> Iterator[str]:
    """Give the rollbacks from the top, and after each the validations that still hold."""
    for index in reversed(range(len(BATCHES))):
        if (ROOT / f"sql/{BATCHES[index]}/rollback.sql").exists():
            yield f"{BATCHES[index]}/rollback.sql"
            below = f"{BATCHES[index - 1]}/validation.sql"
            if BATCHES[index - 1] != GATES and (ROOT / "sql" / below).exists():
                yield below


@pytest.mark.parametrize("options", [(), STRICT], ids=["users-command", "stop-on-error"])
@pytest.mark.parametrize("sample", [True, False], ids=["sample", "empty"])
def test_the_way_up_and_down_is_the_same_by_psql_and_through_the_harness(
    at_batch: AtBatch, sample: bool, options: tuple[str, ...]
) -> None:
    by_hand, harnessed = at_batch(None), at_batch(None)

    for file in way_up(sample=sample):
        said, same = by_psql(by_hand, file, *options), by_harness(harnessed, file)
        not_exercised = GATES in file and not sample
        assert said.exit_code == (3 if not_exercised else 0), said.lines
        assert said.exit_code == same.exit_code
        assert steady(said) == steady(same)

    top = by_hand.state()
    assert compare(top.schema, harnessed.state().schema) == []
    assert compare(top.schema, at_batch(TOP, sample=False).state().schema) == []
    assert shape(top) == shape(harnessed.state())

    for file in way_down():
        said, same = by_psql(by_hand, file, *options), by_harness(harnessed, file)
        assert (said.exit_code, said.error) == (0, "")
        assert steady(said) == steady(same)

    assert by_hand.changes_since(at_batch("00_baseline", sample=sample).state()) == []
    assert harnessed.changes_since(by_hand.state()) == []


def required(batch: Batch, database: Database) -> set[str]:
    """Return the names of all batches that one builds on, however far below."""
    suite = database.harness.suite
    return {
        name for below in batch.requires for name in {below, *required(suite.batch(below), database)}
    }


def due(database: Database, standing: list[str]) -> tuple[list[str], dict[str, str]]:
    """Part the files into those that would succeed here, and those refused, with the reason."""
    succeed: list[str] = []
    refused: dict[str, str] = {}
    for batch in database.harness.suite.batches:
        name, missing = batch.name, [one for one in batch.requires if one not in standing]
        needing = [
            other
            for other in standing
            if name in required(database.harness.suite.batch(other), database)
        ]
        for path, reason in [
            (batch.migration, "is already applied" if name in standing else "not applied"),
            (batch.rollback, "it is needed by" if name in standing else "it is not applied"),
            (batch.validation, ""),
        ]:
            if path is None:
                continue
            file = f"{name}/{path.name}"
            if path == batch.migration and (
                (name in BACKFILLS and name in standing) or (name not in standing and not missing)
            ):
                succeed.append(file)
            elif path == batch.rollback and name in standing and not needing:
                succeed.append(file)
            elif path != batch.validation:
                refused[file] = reason
            elif name not in standing:
                refused[file] = "not"
    return succeed, refused
