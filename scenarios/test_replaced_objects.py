"""Does a batch that replaces a foreign key or an index lose what an application made of it?"""

import pytest
from prompt import STRICT, Said, by_psql

from batchgate.fixtures import AtBatch, Database

pytestmark = pytest.mark.batches

CONVERSATIONS, GATES = "04_backfill_conversations_messages", "06_data_quality_gates"
INDEXES, TIGHTENED = "05_add_integrity_indexes", "07_tighten_constraints"
RECENCY = "Message_conversation_id_created_at_idx"

ALTERED = pytest.mark.parametrize(
    ("table", "statement", "found"),
    [
        pytest.param(
            "Lead",
            'alter table "{0}" alter constraint "{0}_customer_id_fkey" deferrable',
            "DEFERRABLE",
            id="deferrable",
        ),
        pytest.param(
            "Job",
            'alter table "{0}" drop constraint "{0}_customer_id_fkey",'
            ' add constraint "{0}_customer_id_fkey" foreign key (customer_id)'
            ' references "Customer" (id) on delete {1}',
            "ON DELETE",
            id="on-update",
        ),
        pytest.param(
            "Lead",
            'alter table "{0}" drop constraint "{0}_customer_id_fkey",'
            ' add constraint "{0}_customer_id_fkey" foreign key (customer_id)'
            ' references "Customer" (id) on delete {1} on update cascade not valid',
            "NOT VALID",
            id="not-valid",
        ),
        pytest.param(
            "Job",
            'comment on constraint "{0}_customer_id_fkey" on "{0}" is \'of the application\'',
            "COMMENT 'of the application'",
            id="comment",
        ),
    ],
)


def refused(database: Database, statement: str, file: str) -> Said:
    """Let the application alter something, and expect a file to change nothing."""
    database.session("application").connection.execute(statement.encode())
    before = database.state()
    said = by_psql(database, file, *STRICT)
    assert said.exit_code == 3, said.lines
    assert database.changes_since(before) == []
    return said


@ALTERED
@pytest.mark.parametrize("file", ["migration.sql", "migration.online.sql"])
def test_batch_7_replaces_no_other_foreign_key_than_batch_1s(
    at_batch: AtBatch, file: str, table: str, statement: str, found: str
) -> None:
    altering = statement.format(table, "set null")
    said = refused(at_batch(GATES), altering, f"{TIGHTENED}/{file}")
    assert "are not the foreign keys that 01_add_memory_entities made" in said.error
    assert found in "\n".join(said.lines)


@ALTERED
def test_the_rollback_of_batch_7_replaces_no_other_foreign_key_than_its_own(
    at_batch: AtBatch, table: str, statement: str, found: str
) -> None:
    altering = statement.format(table, "restrict")
    said = refused(at_batch(TIGHTENED), altering, f"{TIGHTENED}/rollback.sql")
    assert said.error.endswith("what stands is not what it made")
    assert found in "\n".join(said.lines)


@pytest.mark.parametrize("file", ["migration.sql", "migration.online.sql"])
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param(
            f"comment on index \"{RECENCY}\" is 'of the application'",
            "COMMENT 'of the application'",
            id="comment",
        ),
        pytest.param(f'alter table "Message" cluster on "{RECENCY}"', "CLUSTER", id="cluster"),
        pytest.param(
            f'alter index "{RECENCY}" set (fillfactor = 70)', "fillfactor", id="parameter"
        ),
    ],
)
def test_batch_5_replaces_no_other_index_than_batch_1s(
    at_batch: AtBatch, file: str, statement: str, found: str
) -> None:
    said = refused(at_batch(CONVERSATIONS), statement, f"{INDEXES}/{file}")
    assert said.error.endswith("is not the index that 01_add_memory_entities made")
    assert found in "\n".join(said.lines)
