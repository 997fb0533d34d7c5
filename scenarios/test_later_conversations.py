"""Does a later run leave alone what the application has taken away or changed since?"""

import pytest
from application import (
    add_audit,
    add_conversation,
    add_customer,
    add_lead,
    customer_of,
    link,
    rows,
    statistics,
)
from prompt import by_psql

from batchgate.sessions import Session

pytestmark = pytest.mark.backfill

BELOW = "03_backfill_customers"
BATCH = "04_backfill_conversations_messages"
MIGRATION = f"{BATCH}/migration.sql"
VALIDATION = f"{BATCH}/validation.sql"
SPOKEN, SILENT = {"text": "hello"}, {}

SINCE = [
    pytest.param('delete from "Conversation"', id="conversations-deleted"),
    pytest.param('update "Conversation" set lead_id = null', id="conversations-detached"),
    pytest.param(
        """update "Conversation" set lead_id = (select id from "Lead" where name = 'Kim')""",
        id="conversations-given-to-another-lead",
    ),
    pytest.param('update "Conversation" set customer_id = null', id="customers-taken-off"),
    pytest.param(
        """
        update "Conversation" set customer_id = (select id from "Customer" where name = 'Kim')
        """,
        id="customers-changed",
    ),
    pytest.param(
        """
        delete from "Customer" where name = 'Ana';
        update "Lead" set customer_id = (select id from "Customer" where name = 'Kim')
        """,
        id="customers-deleted-and-leads-linked-again",
    ),
    pytest.param('update "Conversation" set last_message_at = null', id="last-message-unset"),
    pytest.param("""update "Conversation" set metadata = '{}', external_id = null""", id="emptied"),
    pytest.param('delete from "Message"', id="messages-deleted"),
    pytest.param("""update "Message" set content = 'x', metadata = '{}'""", id="messages-changed"),
    pytest.param(
        """
        update "Audit" set lead_id = (select id from "Lead" where name = 'Kim')
        where lead_id is not null
        """,
        id="entries-given-to-another-lead",
    ),
]


@pytest.fixture
def database(at_batch):
    return at_batch(BELOW, sample=False)


@pytest.fixture
def app(database, session):
    return session("app")


def lead_with_history(app: Session, *payloads: object, **identifiers: str) -> str:
    """Add a lead of the customer Ana, and an audit entry for each payload."""
    lead = add_lead(app, **identifiers)
    link(app, lead, add_customer(app, "Ana"))
    for payload in payloads:
        add_audit(app, lead, payload)
    return lead


@pytest.mark.parametrize("change", SINCE)
def test_what_the_application_changed_since_stays_as_it_is(database, app, change):
    link(app, add_lead(app, "Kim"), add_customer(app, "Kim"))
    lead_with_history(app, SPOKEN, SILENT, psid="1")
    lead_with_history(app, SILENT, psid="2")
    assert by_psql(database, MIGRATION).error == ""
    for statement in change.split(";"):
        app.run(statement)
    before = database.state()

    again = by_psql(database, MIGRATION)

    assert "Nothing changed, nothing to record" in again.lines
    assert database.changes_since(before) == []


def test_a_conversation_that_is_gone_comes_back_for_a_new_entry_only(database, app):
    spoken = lead_with_history(app, SPOKEN, psid="1")
    silent = lead_with_history(app, SILENT, psid="2")
    by_psql(database, MIGRATION)
    app.run('delete from "Conversation"')
    add_audit(app, spoken, {"text": "once more"}, created="2025-02-01 09:00+00")
    add_audit(app, silent, [], created="2025-02-01 09:00+00")

    again = by_psql(database, MIGRATION)

    assert "Conversations created: 1" in again.lines
    conversations = app.run('select lead_id::text, external_id from "Conversation"')
    assert conversations == [(spoken, "1")]
    assert app.run('select content from "Message"') == [("once more",)]
    assert by_psql(database, VALIDATION).exit_code == 0


def test_a_conversation_of_the_application_that_is_gone_is_not_replaced(database, app):
    lead = lead_with_history(app, SPOKEN)
    add_conversation(app, lead)
    by_psql(database, MIGRATION)
    app.run('delete from "Conversation"')
    before = database.state()

    ran = database.apply(BATCH)

    assert statistics(ran.run.text)["Conversations created"] == 0
    assert statistics(ran.run.text)["Conversations reused"] == 0
    assert database.changes_since(before) == []


def test_a_customer_that_came_later_is_filled_in_once(database, app):
    lead = add_lead(app, psid="1")
    add_audit(app, lead, SPOKEN)
    by_psql(database, MIGRATION)
    by_psql(database, f"{BELOW}/migration.sql")
    by_psql(database, MIGRATION)
    filled_in = app.value('select customer_id::text from "Conversation"')
    assert filled_in == customer_of(app, lead)
    app.run('update "Conversation" set customer_id = null')
    before = database.state()

    assert "Nothing changed, nothing to record" in by_psql(database, MIGRATION).lines

    assert database.changes_since(before) == []


def test_a_new_entry_does_not_bring_back_a_customer_that_was_taken_off(database, app):
    lead = lead_with_history(app, SPOKEN)
    by_psql(database, MIGRATION)
    app.run('update "Conversation" set customer_id = null')
    add_audit(app, lead, SPOKEN, created="2025-02-01 09:00+00")

    assert "Messages created: 1" in by_psql(database, MIGRATION).lines

    moved = app.run('select customer_id, last_message_at::date::text from "Conversation"')
    assert moved == [(None, "2025-02-01")]


@pytest.mark.parametrize("kept", [0, 1])
def test_the_validation_counts_the_conversations_that_are_gone(database, app, kept):
    for number in range(kept):
        lead_with_history(app, SPOKEN, psid=f"kept {number}")
    lead_with_history(app, SPOKEN, psid="gone 1")
    lead_with_history(app, SILENT, psid="gone 2")
    by_psql(database, MIGRATION)
    app.run("""delete from "Conversation" where external_id like 'gone%'""")
    before = rows(app, "Conversation")

    said = by_psql(database, VALIDATION)

    assert said.exit_code == 0
    assert said.shows(
        f"""
        === TEST 3: Conversation Coverage ===
        ✓ PASS: {kept}/{kept + 2} leads with history have a conversation, 2 lost theirs since
        """
    )
    assert rows(app, "Conversation") == before
