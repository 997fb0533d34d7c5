"""Does the planner take each index of batches 2 and 5, where before it had to do without?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from batchgate.fixtures import Database
from batchgate.sessions import Session

pytestmark = pytest.mark.indexes

# 100 conversations of 100 messages each; one in 500 is about a piano, one in 200 is a tool's.
MESSAGES = """
insert into "Conversation" (id, channel)
select
    md5('conversation ' || i)::uuid,
    'sms'
from generate_series(0, 99) as i;

insert into "Message" (conversation_id, role, content, created_at)
select
    md5('conversation ' || i % 100)::uuid,
    (case when i % 200 = 7 then 'tool' when i % 2 = 0 then 'user' else 'assistant' end)
        ::"MessageRole",
    'Please take away the ' || case when i % 500 = 9 then 'piano' else 'sofa' end,
    timestamptz '2025-11-10' + i * interval '1 minute'
from generate_series(1, 10000) as i;
"""
# 100 customers with a lead and 100 conversations each, of which the newest is open.
CONVERSATIONS = """
insert into "Customer" (id)
select md5('customer ' || i)::uuid
from generate_series(0, 99) as i;

insert into "Lead" (id, channel, customer_id)
select
    md5('lead ' || i)::uuid,
    'sms',
    md5('customer ' || i)::uuid
from generate_series(0, 99) as i;

-- By way of a record, which passes over closed_at where batch 5 has not added it.
insert into "Conversation"
select c.*
from generate_series(1, 10000) as i
cross join lateral jsonb_populate_record(
    null::"Conversation",
    jsonb_build_object(
        'id', gen_random_uuid(),
        'customer_id', md5('customer ' || i % 100),
        'lead_id', md5('lead ' || i % 100),
        'channel', 'sms',
        'started_at', timestamptz '2025-11-10' + i * interval '1 minute',
        'closed_at', case when i <= 9900 then timestamptz '2025-11-30' end,
        'metadata', '{}'::jsonb
    )
) as c;
"""

INDEXES = """
select
    i.indexrelid::regclass::text,
    pg_get_indexdef(i.indexrelid)
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
where c.relnamespace = 'public'::regnamespace
order by 1
"""


@dataclass(frozen=True)
class Question:
    """What the application asks, and the index that has to answer it."""

    index: str
    asked: str


SEARCH = Question(
    "Message_content_fts_idx",
    """
    select id
    from "Message"
    where to_tsvector('english', coalesce(content, '')) @@ plainto_tsquery('english', 'pianos')
    """,
)
OF_ONE_ROLE = Question(
    "Message_role_idx",
    """select count(*) from "Message" where role = 'tool'""",
)
LATEST_MESSAGES = Question(
    "Message_conversation_id_created_at_idx",
    """
    select content
    from "Message"
    where conversation_id = md5('conversation 3')::uuid
    order by created_at desc
    limit 20
    """,
)
LAST_MESSAGE_OF_EACH_CONVERSATION = Question(
    "Message_conversation_id_created_at_idx",
    """
    select distinct on (conversation_id)
        conversation_id,
        created_at
    from "Message"
    order by conversation_id, created_at desc
    """,
)
LATEST_CONVERSATIONS = Question(
    "Conversation_customer_id_started_at_idx",
    """
    select id
    from "Conversation"
    where customer_id = md5('customer 3')::uuid
    order by started_at desc
    limit 10
    """,
)
OPEN_CONVERSATION = Question(
    "Conversation_lead_open_unique",
    """
    select id
    from "Conversation"
    where lead_id = md5('lead 3')::uuid
        and closed_at is null
    """,
)


def filled(database: Database, rows: str) -> Session:
    """Open a session on a database with these rows, of which the planner knows."""
    reader = database.session("reader")
    reader.run(rows)
    # By hand: the server's own vacuum comes when it likes, and plans would differ with it.
    reader.run('vacuum (analyze) "Conversation", "Message"')
    return reader


def plan_of(reader: Session, question: Question) -> list[str]:
    """Return the plan's steps, from the top: what each does, and which index it reads."""
    ((explained,),) = reader.run(f"explain (format json) {question.asked}")
    return list(described(explained[0]["Plan"]))


def described(step: dict[str, Any]) -> Iterator[str]:
    backward = "Backward" if step.get("Scan Direction") == "Backward" else ""
    yield " ".join(filter(None, [step["Node Type"], backward, step.get("Index Name")]))
    for below in step.get("Plans", []):
        yield from described(below)


def answers(index: str, plan: list[str]) -> bool:
    """Tell whether the index is read in its own direction, and nothing is sorted after it."""
    read = any(step.endswith(f"Scan {index}") for step in plan)
    return read and not any(step.endswith("Sort") for step in plan)


BATCH_1, BATCH_2 = "01_add_memory_entities", "02_add_message_fts_index"
BATCH_4, BATCH_5 = "04_backfill_conversations_messages", "05_add_integrity_indexes"


@pytest.mark.parametrize(
    ("below", "batch", "questions"),
    [
        pytest.param(BATCH_1, BATCH_2, [SEARCH, OF_ONE_ROLE], id="batch-2"),
        pytest.param(
            BATCH_4,
            BATCH_5,
            [LATEST_MESSAGES, LAST_MESSAGE_OF_EACH_CONVERSATION],
            id="batch-5",
        ),
    ],
)
def test_messages_are_read_by_the_index_once_the_batch_stands(
    at_batch, steps_of, below, batch, questions
):
    reader = filled(at_batch(below, sample=False), MESSAGES)
    for question in questions:
        assert not answers(question.index, plan_of(reader, question))

    assert not any(step.error for step in steps_of(batch))
    reader.run('analyze "Message"')

    for question in questions:
        assert answers(question.index, plan_of(reader, question))


def test_conversations_are_read_by_the_index_once_batch_5_stands(at_batch):
    below = filled(at_batch(BATCH_4, sample=False), CONVERSATIONS)
    assert not answers(LATEST_CONVERSATIONS.index, plan_of(below, LATEST_CONVERSATIONS))
    below.is_refused(OPEN_CONVERSATION.asked, "42703")

    reader = filled(at_batch(BATCH_5, sample=False), CONVERSATIONS)
    assert answers(LATEST_CONVERSATIONS.index, plan_of(reader, LATEST_CONVERSATIONS))
    assert answers(OPEN_CONVERSATION.index, plan_of(reader, OPEN_CONVERSATION))
    # Before the batch the question could not be asked; what is left of it is to ask without.
    reader.run('drop index "Conversation_lead_open_unique"')
    assert not answers(OPEN_CONVERSATION.index, plan_of(reader, OPEN_CONVERSATION))


@pytest.mark.parametrize(
    ("below", "batch", "questions"),
    [
        pytest.param(BATCH_1, BATCH_2, [SEARCH, OF_ONE_ROLE], id="batch-2"),
        pytest.param(
            BATCH_4,
            BATCH_5,
            [LATEST_MESSAGES, LATEST_CONVERSATIONS, OPEN_CONVERSATION],
            id="batch-5",
        ),
    ],
)
def test_no_index_of_the_batch_is_left_out_here(at_batch, below, batch, questions):
    before, after = (
        set(at_batch(height, sample=False).session("reader").run(INDEXES))
        for height in (below, batch)
    )
    assert {name for name, _ in after - before} == {f'"{each.index}"' for each in questions}
