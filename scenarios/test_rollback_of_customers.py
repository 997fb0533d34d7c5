"""Does rolling the customers back spare whatever the application has come to rely on?"""

import pytest
from application import (
    add_audit,
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
