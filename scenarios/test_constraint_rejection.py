"""Does the server itself refuse every row that the batches say must never stand?"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg import sql
from psycopg.errors import InvalidTextRepresentation

from batchgate.fixtures import Database

pytestmark = pytest.mark.constraints

TOP = "07_tighten_constraints"
NEW = "00000000-0000-4000-8000-00000000000a"
NOBODY = "00000000-0000-4000-8000-00000000000b"
# What sets a copy apart from its row, so that nothing stands in its way.
APART: dict[str, str | None] = {"id": NEW, "external_id": None, "closed_at": "2025-11-10 12:00+00"}
NULL, FOREIGN_KEY, UNIQUE, CHECK, ENUM = "23502", "23503", "23505", "23514", "22P02"

# Whatever a table refuses by itself, as SQLSTATE, table, and the constraint or column it names.
REFUSING = """
with ours as (
    select
        c.oid as relation,
        concat_ws('.', nullif(n.nspname, 'public'), c.relname) as name
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p')
        and n.nspname <> 'information_schema'
        and n.nspname !~ '^pg_'
)
select '23502' as sqlstate, o.name, a.attname as refusing
from ours as o
join pg_catalog.pg_attribute as a on a.attrelid = o.relation
where a.attnum > 0
    and a.attnotnull
    and not a.attisdropped
union all
select '22P02', o.name, a.attname
from ours as o
join pg_catalog.pg_attribute as a on a.attrelid = o.relation
join pg_catalog.pg_type as t on t.oid = a.atttypid
where a.attnum > 0
    and t.typtype = 'e'
    and not a.attisdropped
union all
select
    case c.contype when 'f' then '23503' when 'c' then '23514' else c.contype::text end,
    o.name,
    c.conname
from ours as o
join pg_catalog.pg_constraint as c on c.conrelid = o.relation
-- Keys are read from their indexes below; version 18 lists NOT NULL here as well.
where c.contype not in ('p', 'u', 'n')
union all
select '23505', o.name, c.relname
from ours as o
join pg_catalog.pg_index as i on i.indrelid = o.relation
join pg_catalog.pg_class as c on c.oid = i.indexrelid
where i.indisunique
order by 2, 1, 3
"""

LABELS = """
select e.enumlabel
from pg_catalog.pg_enum as e
join pg_catalog.pg_type as t on t.oid = e.enumtypid
where t.typname = %s
order by e.enumsortorder
"""


@dataclass(frozen=True)
class Enum:
    """A column that takes the words of an enum and no other."""

    table: str
    column: str
    name: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class Refusal:
    """A copy of a table's row that must not get in, and what it is refused by."""

    sqlstate: str
    table: str
    by: str
    but: dict[str, str | None] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.table}-{self.sqlstate}-{self.by}"


def nulls(table: str, *columns: str) -> list[Refusal]:
    """Return the copies that lack a value, one for each column."""
    return [Refusal(NULL, table, column, APART | {column: None}) for column in columns]


def orphan(table: str, column: str) -> Refusal:
    """Return the copy that names a parent which is not there."""
    return Refusal(FOREIGN_KEY, table, f"{table}_{column}_fkey", APART | {column: NOBODY})


def duplicate(table: str, by: str, **but: str | None) -> Refusal:
    """Return the copy that repeats a key, and differs in whatever else must be unique."""
    return Refusal(UNIQUE, table, by, but)


def stranger(table: str, by: str, **but: str | None) -> Refusal:
    """Return the copy whose value no check allows."""
    return Refusal(CHECK, table, by, APART | but)


REFUSALS = [
    *nulls("Customer", "id", "metadata", "created_at", "updated_at"),
    duplicate("Customer", "Customer_pkey"),
    *nulls("CustomerAddress", "id", "customer_id", "address", "is_primary"),
    *nulls("CustomerAddress", "created_at", "updated_at"),
    duplicate("CustomerAddress", "CustomerAddress_pkey"),
    orphan("CustomerAddress", "customer_id"),
    *nulls("Conversation", "id", "channel", "started_at", "metadata"),
    duplicate("Conversation", "Conversation_pkey", lead_id=None, external_id=None),
    duplicate("Conversation", "Conversation_channel_external_id_key", id=NEW, lead_id=None),
    duplicate("Conversation", "Conversation_lead_open_unique", id=NEW, external_id=None),
    orphan("Conversation", "customer_id"),
    orphan("Conversation", "lead_id"),
    *nulls("Message", "id", "conversation_id", "role", "content", "metadata", "created_at"),
    duplicate("Message", "Message_pkey"),
    orphan("Message", "conversation_id"),
    *nulls("MemoryNote", "id", "customer_id", "content", "metadata", "created_at"),
    duplicate("MemoryNote", "MemoryNote_pkey"),
    orphan("MemoryNote", "customer_id"),
    *nulls("JobItem", "id", "job_id", "description", "quantity", "unit_price", "total"),
    *nulls("JobItem", "metadata", "created_at"),
    duplicate("JobItem", "JobItem_pkey"),
    orphan("JobItem", "job_id"),
    *nulls("JobEvent", "id", "job_id", "event_type", "metadata", "created_at"),
    duplicate("JobEvent", "JobEvent_pkey"),
    orphan("JobEvent", "job_id"),
    *nulls("Lead", "customer_id"),
    orphan("Lead", "customer_id"),
    *nulls("Job", "customer_id"),
    orphan("Job", "customer_id"),
    *nulls("backfill.customer_backfill", "entity", "id"),
    duplicate("backfill.customer_backfill", "customer_backfill_pkey"),
    stranger("backfill.customer_backfill", "customer_backfill_entity_check", entity="message"),
    *nulls("backfill.conversation_backfill", "entity", "id"),
    duplicate("backfill.conversation_backfill", "conversation_backfill_pkey"),
    stranger(
        "backfill.conversation_backfill", "conversation_backfill_entity_check", entity="customer"
    ),
]
ENUMS = [
    Enum("Conversation", "channel", "Channel", ("messenger", "sms")),
    Enum("Message", "role", "MessageRole", ("user", "assistant", "system", "tool")),
]


def copy_of(table: str) -> str:
    """Return the statement that copies a table's first row, but for what its parameter says."""
    return (
        sql.SQL("""
            insert into {table}
            select (jsonb_populate_record(t, %s)).*
            from {table} as t
            order by t.id
            limit 1
        """)
        .format(table=sql.Identifier(*table.split(".")))
        .as_string()
    )


def refusing(database: Database) -> set[tuple[Any, ...]]:
    return set(database.session("reader").run(REFUSING))


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_the_row_is_refused(one_row_each, refusal):
    one_row_each(TOP).is_refused(
        copy_of(refusal.table),
        refusal.sqlstate,
        by=refusal.by,
        parameters=[json.dumps(refusal.but)],
    )


def test_a_row_that_differs_in_its_keys_alone_is_taken_by_every_table(one_row_each):
    writer = one_row_each(TOP)
    for table in sorted({refusal.table for refusal in REFUSALS}):
        writer.run(copy_of(table), [json.dumps(APART)])


@pytest.mark.parametrize("enum", ENUMS, ids=str)
def test_a_word_that_the_enum_lacks_is_refused(one_row_each, enum):
    writer = one_row_each(TOP)
    for word in ("robot", enum.words[0].upper(), ""):
        named = pytest.raises(InvalidTextRepresentation, match=f'enum "{enum.name}"')
        with named as refused:
            writer.run(copy_of(enum.table), [json.dumps(APART | {enum.column: word})])
        assert refused.value.sqlstate == ENUM


@pytest.mark.parametrize("enum", ENUMS, ids=str)
def test_every_word_of_the_enum_is_taken_and_there_are_no_more(one_row_each, enum):
    writer = one_row_each(TOP)
    for word, last_digit in zip(enum.words, "0123456789", strict=False):
        copy = APART | {"id": NEW[:-1] + last_digit, enum.column: word}
        writer.run(copy_of(enum.table), [json.dumps(copy)])
    assert [label for (label,) in writer.run(LABELS, [enum.name])] == list(enum.words)


@pytest.mark.parametrize("table", ["Lead", "Job"])
def test_a_row_without_a_customer_is_taken_before_batch_7(one_row_each, table):
    writer = one_row_each("05_add_integrity_indexes")
    writer.run(copy_of(table), [json.dumps(APART | {"customer_id": None})])


def test_nothing_that_the_batches_refuse_is_left_out_here(at_batch):
    top = refusing(at_batch(TOP, sample=False))
    baseline = refusing(at_batch("00_baseline", sample=False))
    listed = {(refusal.sqlstate, refusal.table, refusal.by) for refusal in REFUSALS}
    listed |= {(ENUM, enum.table, enum.column) for enum in ENUMS}
    assert listed == top - baseline
