"""Is what bears a name that a batch needs found before anything is done, and left alone?"""

import pytest
from prompt import STRICT, by_psql

from batchgate.fixtures import AtBatch, Database

pytestmark = pytest.mark.batches

BASELINE, ENTITIES = "00_baseline", "01_add_memory_entities"
CONVERSATIONS, GATES = "04_backfill_conversations_messages", "06_data_quality_gates"
INDEXES, TIGHTENED = "05_add_integrity_indexes", "07_tighten_constraints"
ASCENDING = "Message_conversation_id_created_at_idx_ascending"


def application_makes(database: Database, statement: str) -> None:
    """Make something as the application would."""
    database.session("application").connection.execute(statement.encode())


def refused(database: Database, file: str, sentence: str) -> None:
    """Expect a file to say this and nothing before it, and to change nothing."""
    before = database.state()
    said = by_psql(database, file, *STRICT)
    assert (said.exit_code, said.error) == (3, f"ERROR: {sentence}"), said.lines
    assert said.lines[0] == said.error
    assert database.changes_since(before) == []


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        pytest.param('create table "Job" (id uuid)', 'table "Job"', id="job"),
        pytest.param('create table "Lead" (id uuid)', 'table "Lead"', id="lead"),
        pytest.param("create type \"Channel\" as enum ('sms')", 'type "Channel"', id="type"),
        pytest.param('create domain "Audit" as text', 'type "Audit"', id="type-of-table"),
        pytest.param(
            'create table t (id uuid); create index "Job_status_idx" on t (id)',
            'index "Job_status_idx"',
            id="index",
        ),
    ],
)
def test_the_baseline_is_laid_whole_or_not_at_all(
    at_batch: AtBatch, statement: str, name: str
) -> None:
    database = at_batch(None)
    application_makes(database, statement)
    refused(
        database, f"{BASELINE}/migration.sql", f"Cannot lay the baseline: {name} already exists"
    )
    refused(
        database,
        f"{ENTITIES}/migration.sql",
        "Cannot add memory entities: 00_baseline is not applied",
    )


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        pytest.param('create table "Customer" (id uuid)', 'table "Customer"', id="table"),
        pytest.param('create view "JobItem" as select 1 as one', 'view "JobItem"', id="view"),
        pytest.param('create domain "Message" as text', 'type "Message"', id="type-of-table"),
        pytest.param('create table "MessageRole" ()', 'table "MessageRole"', id="table-of-type"),
        pytest.param('create sequence "Message_pkey"', 'sequence "Message_pkey"', id="key"),
        pytest.param(
            'create index "Lead_customer_id_idx" on "Lead" (name)',
            'index "Lead_customer_id_idx"',
            id="index",
        ),
        pytest.param(
            'alter table "Job" add column customer_id text',
            'column customer_id of table "Job"',
            id="column",
        ),
        pytest.param(
            'alter table "Lead" add constraint "Lead_customer_id_fkey" check (true)',
            'constraint Lead_customer_id_fkey on table "Lead"',
            id="constraint",
        ),
        pytest.param(
            'create table "Customer" (); create table "Message" ()',
            'table "Customer", table "Message"',
            id="two-tables",
        ),
    ],
)
def test_batch_1_names_what_is_in_its_way(at_batch: AtBatch, statement: str, name: str) -> None:
    database = at_batch(BASELINE)
    application_makes(database, statement)
    sentence = f"Cannot add memory entities: {name} already exists"
    for file in ("migration.sql", "migration.online.sql"):
        refused(database, f"{ENTITIES}/{file}", sentence)


def test_batch_2_does_not_begin_where_messages_are_missing(at_batch: AtBatch) -> None:
    database = at_batch(ENTITIES)
    application_makes(database, 'drop table "Message"')
    sentence = "Cannot add message search: 01_add_memory_entities is not applied"
    for file in ("migration.sql", "migration.online.sql"):
        refused(database, f"02_add_message_fts_index/{file}", sentence)


@pytest.mark.parametrize(
    ("batch", "table"),
    [
        pytest.param(INDEXES, "Conversation", id="5"),
        pytest.param(TIGHTENED, "Lead", id="7-lead"),
        pytest.param(TIGHTENED, "Job", id="7-job"),
    ],
)
def test_a_missing_table_is_said_in_a_sentence(at_batch: AtBatch, batch: str, table: str) -> None:
    database = at_batch(CONVERSATIONS)
    application_makes(database, f'drop table "{table}" cascade')
    for file in ("migration.sql", "migration.online.sql"):
        said = by_psql(database, f"{batch}/{file}", *STRICT)
        assert said.exit_code == 3
        assert "01_add_memory_entities" in said.error


@pytest.mark.parametrize(
    ("height", "file", "sentence"),
    [
        pytest.param(
            CONVERSATIONS,
            "migration.sql",
            f'Cannot add integrity indexes: "{ASCENDING}" already exists',
            id="migration",
        ),
        pytest.param(
            CONVERSATIONS,
            "migration.online.sql",
            f'Cannot add integrity indexes: "{ASCENDING}" already exists,'
            " without the rest of this batch",
            id="online",
        ),
        pytest.param(
            INDEXES,
            "migration.online.sql",
            f'Cannot add integrity indexes: "{ASCENDING}" already exists',
            id="online-again",
        ),
        pytest.param(
            INDEXES,
            "rollback.sql",
            f"Cannot roll back {INDEXES}: what stands is not what it made",
            id="rollback",
        ),
    ],
)
def test_batch_5_does_not_take_an_index_for_the_one_it_sets_aside(
    at_batch: AtBatch, height: str, file: str, sentence: str
) -> None:
    database = at_batch(height)
    application_makes(database, f'create index "{ASCENDING}" on "Message" (role)')
    refused(database, f"{INDEXES}/{file}", sentence)


@pytest.mark.parametrize("file", ["migration.sql", "migration.online.sql", "rollback.sql"])
@pytest.mark.parametrize(
    ("table", "name", "definition"),
    [
        pytest.param("Lead", "Lead_customer_id_present", "check (channel is not null)", id="check"),
        pytest.param(
            "Job",
            "Job_customer_id_fkey_restrict",
            'foreign key (customer_id) references "Customer" (id) on delete cascade',
            id="another-key",
        ),
    ],
)
def test_batch_7_does_not_take_a_constraint_for_its_own(
    at_batch: AtBatch, file: str, table: str, name: str, definition: str
) -> None:
    database = at_batch(GATES)
    application_makes(database, f'alter table "{table}" add constraint "{name}" {definition}')
    doing = "roll back 07_tighten_constraints" if "rollback" in file else "tighten constraints"
    sentence = f'Cannot {doing}: "{name}" already exists and was not made by this batch'
    refused(database, f"{TIGHTENED}/{file}", sentence)
