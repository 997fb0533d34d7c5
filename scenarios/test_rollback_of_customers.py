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
from prompt import Said, by_harness, by_psql

from batchgate.fixtures import Database

pytestmark = pytest.mark.rollback

BELOW = "02_add_message_fts_index"
CUSTOMERS = "03_backfill_customers"
CONVERSATIONS = "04_backfill_conversations_messages"
ROLLBACK = f"{CUSTOMERS}/rollback.sql"
TIGHTENING = "07_tighten_constraints"

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
    links, customers, entries = (2, 1, 0, 0), (1, 1), (1,)
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

    links, deleted, entries = (1, 1, 2, 1), (2, 0), (1,)
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


def refused(database: Database) -> Said:
    """Expect the rollback to change nothing, by psql as through the harness."""
    before = database.state()
    said = by_psql(database, ROLLBACK)
    assert (said.exit_code, by_harness(database, ROLLBACK).steady) == (3, said.steady)
    assert database.changes_since(before) == []
    return said


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(
            """
            alter table "Lead" add constraint "Lead_customer_id_fkey_restrict"
            foreign key (customer_id) references "Customer" (id)
            on delete restrict on update cascade not valid
            """,
            id="after-its-first-step",
        ),
        pytest.param(
            """
            alter table "Job" add constraint "Job_customer_id_present"
            check (customer_id is not null) not valid
            """,
            id="with-a-check",
        ),
    ],
)
def test_a_begun_online_route_stops_the_rollback(at_batch, session, begun):
    database = at_batch(CUSTOMERS)
    session("app").run(begun)

    said = refused(database)

    assert said.error == (
        f"ERROR: Cannot roll back {CUSTOMERS}: it is needed by {TIGHTENING},"
        " whose online route was begun"
    )
    assert "Links to undo" not in "".join(said.lines)
    assert by_psql(database, f"{TIGHTENING}/rollback.sql").exit_code == 0
    assert by_psql(database, ROLLBACK).exit_code == 0


@pytest.mark.parametrize("table", ["Lead", "Job"])
def test_a_column_required_by_hand_stops_the_rollback(at_batch, session, table):
    database = at_batch(CUSTOMERS)
    app = session("app")
    database.apply(CUSTOMERS)
    app.run(f'alter table "{table}" alter column customer_id set not null')

    said = refused(database)

    assert said.error == (
        f'ERROR: Cannot roll back {CUSTOMERS}: "{table}".customer_id is NOT NULL,'
        f" and {TIGHTENING} is not applied"
    )
    assert "Links to undo" not in "".join(said.lines)
    remedy = said.hint.partition("Run ")[2].partition(",")[0]
    app.run(remedy)
    assert by_psql(database, ROLLBACK).exit_code == 0


def test_a_check_of_the_application_stops_the_rollback_and_no_person_is_shown(at_batch, session):
    database = at_batch(BELOW, sample=False)
    app = session("app")
    add_lead(app, "Ana", phone="5551234567")
    database.apply(CUSTOMERS)
    app.run('alter table "Lead" add constraint known check (customer_id is not null or id is null)')

    said = refused(database)

    assert said.error == f'ERROR: Cannot roll back {CUSTOMERS}: constraint "known" forbids it'
    assert not [line for line in said.lines if "Ana" in line or "5551234567" in line]


@pytest.mark.parametrize(
    ("batch", "record"),
    [
        pytest.param(CUSTOMERS, "customer_backfill", id="customers"),
        pytest.param(CONVERSATIONS, "conversation_backfill", id="conversations"),
    ],
)
def test_what_the_application_made_of_the_record_is_named(at_batch, session, batch, record):
    database = at_batch(batch)
    session("app").run(f"create view made as select * from backfill.{record}")
    before = database.state()

    said = by_psql(database, f"{batch}/rollback.sql")

    assert said.exit_code == 3
    assert said.error == (
        f"ERROR: Cannot roll back {batch}: something depends on backfill.{record}"
    )
    assert f"DETAIL: view made depends on table backfill.{record}" in said.lines
    assert database.changes_since(before) == []
    session("other").run("drop view made")
    assert by_psql(database, f"{batch}/rollback.sql").exit_code == 0
