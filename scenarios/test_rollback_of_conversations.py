"""Does rolling the conversations back spare whatever the application has written into them?"""

import pytest
from application import (
    add_audit,
    add_conversation,
    add_customer,
    add_lead,
    add_message,
    counted,
    link,
    log_of,
    rows,
)

pytestmark = pytest.mark.rollback

CUSTOMERS = "03_backfill_customers"
CONVERSATIONS = "04_backfill_conversations_messages"
INDEXES = "05_add_integrity_indexes"

# What the application has put into a conversation of the backfill, given by its id.
INTO_CONVERSATION = [
    pytest.param(
        [
            """
            insert into "Message" (conversation_id, role, content) values (%s, 'user', 'since')
            """
        ],
        0,
        id="message",
    ),
    pytest.param(
        [
            """
            insert into "MemoryNote" (customer_id, conversation_id, content)
            select l.customer_id, c.id, 'mornings'
            from "Conversation" as c
            join "Lead" as l
                on l.id = c.lead_id
            where c.id = %s
            """
        ],
        0,
        id="note",
    ),
    pytest.param(
        [
            'create table "Rating!" (of uuid references "Conversation" on delete cascade)',
            'insert into "Rating!" values (%s)',
        ],
        0,
        id="table-of-the-application",
    ),
    pytest.param(
        [
            'create table reaction (to_message uuid references "Message" on delete cascade)',
            """
            insert into reaction
            select id from "Message" where conversation_id = %s order by created_at limit 1
            """,
        ],
        1,
        id="table-that-refers-to-a-message",
    ),
]


@pytest.mark.parametrize(("written", "messages_kept"), INTO_CONVERSATION)
def test_a_conversation_that_was_written_into_since_stays(
    at_batch, session, written, messages_kept
):
    database = at_batch(CUSTOMERS, sample=False)
    app = session("app")
    for psid in ("1", "2"):
        lead = add_lead(app, psid=psid)
        link(app, lead, add_customer(app))
        add_audit(app, lead, {"text": "first"})
        add_audit(app, lead, {"text": "second"}, created="2025-01-02 09:00+00")
    assert database.apply(CONVERSATIONS).run.error is None
    kept = app.value("select id::text from \"Conversation\" where external_id = '1'")
    for statement in written[:-1]:
        app.run(statement)
    app.run(written[-1], [kept])
    conversations, messages = rows(app, "Conversation"), rows(app, "Message")
    mine = [row for row in messages if "auditId" not in row]

    ran = database.roll_back(CONVERSATIONS)

    assert ran.run.error is None
    messages_counted, conversations_counted, entries = (
        (4 - messages_kept, messages_kept),
        (1, 1),
        (1,),
    )
    assert counted(ran.run.text) == [messages_counted, conversations_counted, entries]
    assert rows(app, "Conversation") == [row for row in conversations if kept in row]
    left = rows(app, "Message")
    assert [row for row in left if "auditId" not in row] == mine
    assert len(left) == len(mine) + messages_kept

    assert database.apply(CONVERSATIONS).run.error is None
    assert database.validate(CONVERSATIONS).run.error is None
    assert app.value("select count(*) from \"Message\" where metadata ? 'auditId'") == 4
    assert kept in {row[0] for row in app.run('select id::text from "Conversation" order by id')}


@pytest.mark.parametrize("after_five", [False, True], ids=["before-05", "after-05"])
def test_a_conversation_of_the_application_loses_only_backfilled_messages(
    at_batch, session, after_five
):
    database = at_batch(CUSTOMERS, sample=False)
    app = session("app")
    lead = add_lead(app, psid="1")
    link(app, lead, add_customer(app))
    conversation = add_conversation(app, lead)
    add_message(app, conversation, "before")
    if after_five:
        assert database.apply(INDEXES).run.error is None
    conversations, before = rows(app, "Conversation"), rows(app, "Message")
    add_audit(app, lead, {"text": "hello"})
    database.apply(CONVERSATIONS)
    add_audit(app, lead, {"text": "hello again"})
    database.apply(CONVERSATIONS)
    since = add_message(app, conversation, "since")
    assert len(rows(app, "Message")) == 4

    assert database.roll_back(CONVERSATIONS).run.error is None

    assert rows(app, "Conversation") == conversations
    left = rows(app, "Message")
    assert set(before) < set(left)
    assert [row for row in left if row not in before] == [row for row in left if since in row]
    assert log_of(app, "backfill_conversations_messages") == []
