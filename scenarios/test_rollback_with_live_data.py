"""Does a rollback leave what the application wrote, before the batch and since, as it was?"""

import pytest
from prompt import BATCHES

from batchgate.fixtures import Database

pytestmark = pytest.mark.rollback

# Rows of before the batch that are no one's sample, each with an awkward value.
BEFORE = """
insert into "Lead" (id, channel, name, "messengerPsid", phone, "stateMetadata", updated_at)
values
    ('a1000000-0000-4000-8000-000000000001', 'sms', 'Rosa', null, '555-777-0001', null, '2020-01-01'),
    ('a1000000-0000-4000-8000-000000000002', 'messenger', e'\\t"Ø" 100%%', '9001', null, 'null', '2020-01-01'),
    ('a1000000-0000-4000-8000-000000000003', 'sms', '', '', '', '{"a": [1, null]}', '2020-01-01');
insert into "Job" (id, lead_id, window_start, window_end, updated_at)
select 'a2000000-0000-4000-8000-000000000001', id, 'infinity', 'infinity', '2020-01-01'
from "Lead"
where name = 'Rosa';
insert into "Audit" (id, lead_id, actor, action, payload, created_at)
values
    ('a3000000-0000-4000-8000-000000000001', 'a1000000-0000-4000-8000-000000000001', 'customer', 'chat', '{"text": "hello"}', '2020-01-01'),
    ('a3000000-0000-4000-8000-000000000002', 'a1000000-0000-4000-8000-000000000003', 'agent', 'chat', '{"b": 1}', '2020-01-01'),
    ('a3000000-0000-4000-8000-000000000003', null, 'system', 'backfill_customers', '{"by": "hand"}', '2020-01-01'),
    ('a3000000-0000-4000-8000-000000000004', null, 'system', 'backfill_conversations_messages', '{}', '2020-01-01');
"""
# The application's own customers, from batch 1 on: one that a backfill takes, one that none does.
CUSTOMERS = """
insert into "Customer" (id, name, phone, metadata, created_at, updated_at)
values
    ('a4000000-0000-4000-8000-000000000001', 'Rosa', '+1 555 777 0001', '{"vip": null}', '2020-01-01', '2020-01-01'),
    ('a4000000-0000-4000-8000-000000000002', null, null, '[]', '2020-01-01', '2020-01-01');
insert into "CustomerAddress" (id, customer_id, address, created_at, updated_at)
values ('a5000000-0000-4000-8000-000000000001', 'a4000000-0000-4000-8000-000000000001', '1 Road', '2020-01-01', '2020-01-01');
insert into "Conversation" (id, lead_id, channel, external_id, started_at)
values
    ('a6000000-0000-4000-8000-000000000001', 'a1000000-0000-4000-8000-000000000001', 'sms', null, '2020-01-01'),
    ('a6000000-0000-4000-8000-000000000002', null, 'sms', '5557770009', '2020-01-01');
insert into "Message" (id, conversation_id, role, content, metadata, created_at)
values ('a7000000-0000-4000-8000-000000000001', 'a6000000-0000-4000-8000-000000000001', 'tool', '', '{"source": "web"}', '2020-01-01');
"""
# What it goes on writing while the batch stands, in the tables that stood before the batch.
SINCE = {
    "01_add_memory_entities": """
        insert into "Lead" (id, channel, updated_at, created_at)
        values ('b1000000-0000-4000-8000-000000000001', 'sms', '2020-02-01', '2020-02-01');
        update "Lead" set name = 'Rosa R.' where name = 'Rosa';
        delete from "Job" where lead_id = 'a1000000-0000-4000-8000-000000000001';
        insert into "Audit" (id, lead_id, actor, action, payload, created_at)
        values ('b3000000-0000-4000-8000-000000000001', null, 'user', 'x', '"y"', '2020-02-01');
    """,
    "02_add_message_fts_index": """
        insert into "Message" (id, conversation_id, role, content, created_at)
        values ('b7000000-0000-4000-8000-000000000001', 'a6000000-0000-4000-8000-000000000002', 'user', 'a sofa', '2020-02-01');
        update "Message" set role = 'system' where id = 'a7000000-0000-4000-8000-000000000001';
    """,
    "03_backfill_customers": """
        insert into "Customer" (id, name, phone, created_at, updated_at)
        values ('b4000000-0000-4000-8000-000000000001', 'Sam', '5557770002', '2020-02-01', '2020-02-01');
        insert into "Lead" (id, channel, customer_id, created_at, updated_at)
        values
            ('b1000000-0000-4000-8000-000000000001', 'sms', 'b4000000-0000-4000-8000-000000000001', '2020-02-01', '2020-02-01'),
            ('b1000000-0000-4000-8000-000000000002', 'sms', null, '2020-02-01', '2020-02-01');
        update "Lead"
        set customer_id = 'a4000000-0000-4000-8000-000000000002'
        where id = 'a1000000-0000-4000-8000-000000000002';
        update "Lead" set phone = '5550001111' where id = 'a1000000-0000-4000-8000-000000000001';
        update "Job"
        set customer_id = 'a4000000-0000-4000-8000-000000000002'
        where id = 'a2000000-0000-4000-8000-000000000001';
        update "Customer" set name = 'Rosa R.' where id = 'a4000000-0000-4000-8000-000000000001';
        delete from "Lead" where id = 'a1000000-0000-4000-8000-000000000003';
    """,
    "04_backfill_conversations_messages": """
        insert into "Message" (id, conversation_id, role, content, created_at)
        values ('b7000000-0000-4000-8000-000000000001', 'a6000000-0000-4000-8000-000000000001', 'user', 'a sofa', '2020-02-01');
        insert into "Lead" (id, channel, created_at, updated_at)
        values ('b1000000-0000-4000-8000-000000000001', 'sms', '2020-02-01', '2020-02-01');
        insert into "Conversation" (id, lead_id, channel, external_id, started_at)
        values ('b6000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'sms', '5557770003', '2020-02-01');
        insert into "Audit" (id, lead_id, actor, action, payload, created_at)
        values ('b3000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'user', 'chat', '{"text": "since"}', '2020-02-01');
        update "Conversation"
        set last_message_at = '2020-02-01'
        where id = 'a6000000-0000-4000-8000-000000000001';
        delete from "Audit" where id = 'a3000000-0000-4000-8000-000000000002';
    """,
    "05_add_integrity_indexes": """
        insert into "Conversation" (id, channel, started_at)
        values ('b6000000-0000-4000-8000-000000000001', 'sms', '2020-02-01');
        insert into "Message" (id, conversation_id, role, content, created_at)
        values ('b7000000-0000-4000-8000-000000000001', 'b6000000-0000-4000-8000-000000000001', 'user', 'a sofa', '2020-02-01');
    """,
    "07_tighten_constraints": """
        insert into "Lead" (id, channel, customer_id, created_at, updated_at)
        values ('b1000000-0000-4000-8000-000000000001', 'sms', 'a4000000-0000-4000-8000-000000000002', '2020-02-01', '2020-02-01');
        insert into "Job" (id, lead_id, customer_id, window_start, window_end, created_at, updated_at)
        values ('b2000000-0000-4000-8000-000000000001', 'b1000000-0000-4000-8000-000000000001', 'a4000000-0000-4000-8000-000000000002', '2020-02-02', '2020-02-03', '2020-02-01', '2020-02-01');
    """,
}


def below(batch: str) -> str:
    return BATCHES[BATCHES.index(batch) - 1]


def write(database: Database, batch: str, *texts: str) -> None:
    """Write as the application."""
    app = database.session("app")
    for text in texts:
        app.run(text)
