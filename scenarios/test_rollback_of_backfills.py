"""Does rolling a backfill back spare whatever the application has come to rely on?"""

import pytest
from application import (
    add_audit,
    add_conversation,
    add_customer,
    add_job,
    add_lead,
    add_message,
    counted,
    customer_of,
    link,
    log_of,
    rows,
)

pytestmark = pytest.mark.rollback

BELOW = "02_add_message_fts_index"
CUSTOMERS = "03_backfill_customers"
CONVERSATIONS = "04_backfill_conversations_messages"
INDEXES = "05_add_integrity_indexes"

# What refers to a customer of the backfill, given by its id.
TO_CUSTOMER = [
    pytest.param(
        [
            """
            insert into "Lead" (channel, customer_id, name) values ('sms', %s, 'since')
            """
        ],
        id="lead",
    ),
    pytest.param(
        [
            """
            insert into "Job" (lead_id, customer_id, window_start, window_end)
            select l.id, %s, now(), now() from "Lead" as l where l.name = 'Kim'
            """
        ],
        id="job",
    ),
    pytest.param(
        ["""insert into "CustomerAddress" (customer_id, address) values (%s, '1 Road')"""],
        id="address",
    ),
    pytest.param(
        ["""insert into "Conversation" (customer_id, channel) values (%s, 'sms')"""],
        id="conversation",
    ),
    pytest.param(
        ["""insert into "MemoryNote" (customer_id, content) values (%s, 'mornings')"""], id="note"
    ),
    pytest.param(
        [
            'create table vip (who uuid references "Customer" on delete cascade)',
            "insert into vip values (%s)",
        ],
        id="table-of-the-application",
    ),
    pytest.param(
        [
            'create schema "The Crm"',
            'create table "The Crm"."Deal;" ("who?" uuid references "Customer" on delete set null)',
            'insert into "The Crm"."Deal;" values (%s)',
        ],
        id="odd-names-in-another-schema",
    ),
    pytest.param(
        [
            'alter table "Customer" add unique (id, created_at)',
            """
            create table visit (
                at timestamptz,
                who uuid,
                foreign key (at, who) references "Customer" (created_at, id)
            )
            """,
            'insert into visit select created_at, id from "Customer" where id = %s',
        ],
        id="key-of-two-columns",
    ),
    pytest.param(
        [
            'create table bill (who uuid references "Customer" on delete cascade)'
            " partition by hash (who)",
            "create table bill_0 partition of bill for values with (modulus 1, remainder 0)",
            "insert into bill values (%s)",
        ],
        id="partitioned-table",
    ),
    pytest.param(
        [
            'alter table "Customer" add parent uuid references "Customer" on delete cascade',
            """insert into "Customer" (name, parent) values ('since', %s)""",
        ],
        id="another-customer",
    ),
]


@pytest.mark.parametrize("reference", TO_CUSTOMER)
def test_a_customer_that_something_refers_to_since_stays(at_batch, session, reference):
    database = at_batch(BELOW, sample=False)
    app = session("app")
    relied_on, other = add_lead(app, "Ana", psid="1"), add_lead(app, "Ben", psid="2")
    kim = add_lead(app, "Kim")
    link(app, kim, add_customer(app, "Kim"))
    job = add_job(app, relied_on)
    assert database.apply(CUSTOMERS).run.error is None
    kept, gone = customer_of(app, relied_on), customer_of(app, other)
    for statement in reference[:-1]:
        app.run(statement)
    app.run(reference[-1], [kept])
    before = rows(app, "Customer")

    ran = database.roll_back(CUSTOMERS)

    assert ran.run.error is None
    links, customers, entries = (2, 1, 0), (1, 1), (1,)
    assert counted(ran.run.text) == [links, customers, entries]
    assert rows(app, "Customer") == [row for row in before if str(gone) not in row]
    assert customer_of(app, relied_on) is None
    assert app.value('select customer_id from "Job" where id = %s', [job]) is None

    assert database.apply(CUSTOMERS).run.error is None
    assert customer_of(app, relied_on) == kept
    assert database.validate(CUSTOMERS).run.error is None


def test_only_the_links_that_the_backfill_made_are_undone(at_batch, session):
    database = at_batch(BELOW, sample=False)
    app = session("app")
    reused, own = add_customer(app, "Lea", phone="5552220001"), add_customer(app, "own")
    before, moved = add_lead(app, psid="1"), add_lead(app, psid="2")
    linked, undone = add_lead(app, phone="555-222-0001"), add_lead(app, psid="3")
    link(app, before, own)
    jobs = [add_job(app, linked), add_job(app, moved), add_job(app, linked, own)]
    customers = rows(app, "Customer")
    database.apply(CUSTOMERS)
    link(app, moved, own)
    app.run('update "Job" set customer_id = %s where id = %s', [own, jobs[1]])
    since = add_lead(app, psid="4")
    link(app, since, reused)
    app.run('delete from "Lead" where id = %s', [undone])

    ran = database.roll_back(CUSTOMERS)

    links, deleted, entries = (1, 1, 3), (2, 0), (1,)
    assert counted(ran.run.text) == [links, deleted, entries]
    assert rows(app, "Customer") == customers
    leads = [before, moved, linked, since]
    assert [customer_of(app, lead) for lead in leads] == [own, own, None, reused]
    found = dict(app.run('select id::text, customer_id::text from "Job" order by id'))
    assert [found[job] for job in jobs] == [None, own, own]


def test_a_rollback_after_several_runs_undoes_them_all(at_batch, session):
    database = at_batch(BELOW, sample=False)
    app = session("app")
    first = add_lead(app, psid="1")
    before = rows(app, "Customer")
    database.apply(CUSTOMERS)
    again, new = add_lead(app, psid="1"), add_lead(app, psid="2")
    database.apply(CUSTOMERS)
    app.run('update "Lead" set customer_id = null where id = %s', [first])
    database.apply(CUSTOMERS)
    assert len(log_of(app, "backfill_customers")) == 3

    assert database.roll_back(CUSTOMERS).run.error is None

    assert [customer_of(app, lead) for lead in (first, again, new)] == [None, None, None]
    assert rows(app, "Customer") == before
    assert log_of(app, "backfill_customers") == []


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


def test_a_customer_in_a_conversation_that_stayed_stays(at_batch, session):
    database = at_batch(BELOW, sample=False)
    app = session("app")
    leads = [add_lead(app, psid=psid) for psid in ("1", "2")]
    for lead in leads:
        add_audit(app, lead, {"text": "hello"})
    database.apply(CUSTOMERS)
    database.apply(CONVERSATIONS)
    kept = app.value("select id::text from \"Conversation\" where external_id = '1'")
    customer = customer_of(app, leads[0])
    add_message(app, kept, "since")
    database.roll_back(CONVERSATIONS)

    assert database.roll_back(CUSTOMERS).run.error is None

    assert app.run('select id::text from "Customer"') == [(customer,)]
    assert app.run('select id::text, customer_id::text from "Conversation"') == [(kept, customer)]
    assert [customer_of(app, lead) for lead in leads] == [None, None]
