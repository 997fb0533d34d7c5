"""Is every file clear, and every lower batch valid, where batch 7 stands by half?"""

import pytest
from prompt import ROOT, SQL, STRICT, by_psql

from batchgate.fixtures import AtBatch, Database
from batchgate.script import Script, steps

pytestmark = pytest.mark.batches

BELOW, TIGHTENED = "06_data_quality_gates", "07_tighten_constraints"
ONLINE = f"{TIGHTENED}/migration.online.sql"
# After each of these the online route may be interrupted, and something of it stands.
BOUNDARIES = ("commit", 'alter table public."Lead" validate', 'alter table public."Job" validate')
LOWER = ("01_add_memory_entities", "02_add_message_fts_index", "05_add_integrity_indexes")


def says(database: Database, file: str, sentence: str) -> None:
    """Expect a file to be refused with this sentence and to change nothing."""
    before = database.state()
    said = by_psql(database, f"{TIGHTENED}/{file}", *STRICT)
    assert (said.exit_code, said.error) == (3, f"ERROR: {sentence}"), said.lines
    assert database.changes_since(before) == []


def lower_batches_hold(database: Database) -> None:
    """Expect the validations below to pass."""
    for name in LOWER:
        said = by_psql(database, f"{name}/validation.sql")
        assert (said.exit_code, said.error) == (0, "")


@pytest.mark.parametrize("tables", [("Lead",), ("Job",), ("Job", "Lead")], ids="-".join)
def test_what_was_tightened_by_hand_is_neither_taken_over_nor_taken_back(
    at_batch: AtBatch, tables: tuple[str, ...]
) -> None:
    database = at_batch(BELOW)
    by_hand = database.session("by hand")
    for table in tables:
        by_hand.run(f'alter table "{table}" alter column customer_id set not null')

    lower_batches_hold(database)
    columns = ", ".join(f'"{table}".customer_id' for table in tables)
    tight = f"Cannot tighten constraints: {columns} is NOT NULL already"
    says(database, "migration.sql", tight)
    says(database, "migration.online.sql", tight)
    says(database, "rollback.sql", f"Cannot roll back {TIGHTENED}: what stands is not what it made")


@pytest.mark.parametrize(("loosened", "tight"), [("Lead", "Job"), ("Job", "Lead")])
def test_what_was_half_taken_back_by_hand_is_said(
    at_batch: AtBatch, loosened: str, tight: str
) -> None:
    database = at_batch(TIGHTENED)
    by_hand = database.session("by hand")
    by_hand.run(f'alter table "{loosened}" alter column customer_id drop not null')

    lower_batches_hold(database)
    says(
        database,
        "migration.sql",
        f'Cannot tighten constraints: "{tight}".customer_id is NOT NULL already',
    )
    says(database, "rollback.sql", f"Cannot roll back {TIGHTENED}: what stands is not what it made")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_an_online_route_that_was_interrupted_is_finished_or_taken_back(
    at_batch: AtBatch, count: int
) -> None:
    database = at_batch(BELOW)
    beneath = database.state()
    batch = database.session("batch")
    walk = steps(batch.connection, Script(SQL / ONLINE, ROOT))
    commits = (step for step in walk if step.ran and step.statement.text.startswith(BOUNDARIES))
    for _ in range(count):
        next(commits)
    batch.close()

    lower_batches_hold(database)
    says(
        database,
        "migration.sql",
        "Cannot tighten constraints: migration.online.sql was begun, not finished",
    )
    assert by_psql(database, f"{TIGHTENED}/rollback.sql").exit_code == 0
    assert database.changes_since(beneath) == []
    assert by_psql(database, ONLINE).exit_code == 0
    lower_batches_hold(database)


@pytest.mark.parametrize("table", ["Lead", "Job"])
def test_a_helper_that_stands_alone_is_seen(at_batch: AtBatch, table: str) -> None:
    database = at_batch(BELOW)
    beneath = database.state()
    database.session("batch").run(
        f'alter table "{table}" add constraint "{table}_customer_id_present"'
        " check (customer_id is not null) not valid"
    )

    lower_batches_hold(database)
    assert by_psql(database, f"{TIGHTENED}/rollback.sql").exit_code == 0
    assert database.changes_since(beneath) == []
