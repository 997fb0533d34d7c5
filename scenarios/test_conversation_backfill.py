"""Which conversations does the audit log become, and what does a later run add?"""

import re

import pytest
from application import (
    add_audit,
    add_conversation,
    add_customer,
    add_lead,
    link,
    log_of,
    rows,
    statistics,
)

from batchgate.sessions import Session

pytestmark = pytest.mark.backfill

BELOW = "03_backfill_customers"
BATCH = "04_backfill_conversations_messages"
CLOSING = "05_add_integrity_indexes"


@pytest.fixture
def database(at_batch):
    return at_batch(BELOW, sample=False)


@pytest.fixture
def app(database, session):
    return session("app")


def lead_with_customer(app: Session, **identifiers: str) -> str:
    """Add a lead that batch 3 has linked."""
    lead = add_lead(app, **identifiers)
    link(app, lead, add_customer(app))
    return lead


def conversation_of(app: Session, audit: str) -> str:
    """Return the conversation that an audit entry's message went into."""
    conversation: str = app.value(
        """select conversation_id::text from "Message" where metadata ->> 'auditId' = %s""",
        [audit],
    )
    return conversation


def figures(
    created: int = 0, reused: int = 0, messages: int = 0, already: int = 0, nothing: int = 0
) -> dict[str, int]:
    """Write the figures of a run; every entry looked at is made, made already, or shows nothing."""
    return {
        "Conversations created": created,
        "Conversations reused": reused,
        "Messages created": messages,
        "Messages already made": already,
        "Audits processed": messages + already + nothing,
        "Audits skipped": nothing,
        "Errors": 0,
    }


def test_a_conversation_is_its_leads(database, app):
    lead = lead_with_customer(app, channel="messenger", psid="1001")
    add_audit(app, lead, {"text": "second"}, created="2025-01-01 09:02+00")
    add_audit(app, lead, {"text": "first"}, created="2025-01-01 09:01+00")
    add_audit(app, lead, {}, created="2025-01-01 09:09+00")

    database.apply(BATCH)

    same = app.run(
        """
        select
            c.customer_id = l.customer_id,
            c.channel = l.channel,
            c.started_at = l.created_at,
            c.last_message_at = '2025-01-01 09:02+00',
            c.metadata
        from "Conversation" as c
        join "Lead" as l
            on l.id = c.lead_id
        """
    )
    assert same == [(True, True, True, True, {"source": "audit_backfill"})]
    messages = app.run(
        """
        select m.content, m.metadata ->> 'source', m.created_at = a.created_at
        from "Message" as m
        join "Audit" as a
            on a.id::text = m.metadata ->> 'auditId'
        order by m.created_at
        """
    )
    assert messages == [("first", "audit_backfill", True), ("second", "audit_backfill", True)]


def test_only_entries_of_a_lead_and_a_speaker_are_history(database, app):
    silent, spoken_of = lead_with_customer(app), lead_with_customer(app)
    lead_with_customer(app)
    add_audit(app, silent, {})
    add_audit(app, spoken_of, {"text": "about them"}, actor="dispatcher")
    add_audit(app, None, {"text": "of no one"})

    ran = database.apply(BATCH)

    conversations = app.run('select lead_id::text, last_message_at from "Conversation"')
    assert conversations == [(silent, None)]
    assert statistics(ran.run.text) == figures(created=1, nothing=1)


@pytest.mark.parametrize(
    ("conversations", "taken"),
    [
        pytest.param(["2025-01-05"], 0, id="its-only-one"),
        pytest.param(["2025-01-05", "2025-01-07", "2025-01-06"], 1, id="the-newest"),
    ],
)
def test_a_lead_gets_no_second_conversation(database, app, conversations, taken):
    lead = lead_with_customer(app, phone="5551234567")
    ids = [add_conversation(app, lead, started=started) for started in conversations]
    audit = add_audit(app, lead, {"text": "hello"})
    before = rows(app, "Conversation")

    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures(reused=1, messages=1)
    assert conversation_of(app, audit) == ids[taken]
    assert rows(app, "Conversation") == before


@pytest.mark.parametrize(
    ("conversations", "is_open", "taken"),
    [
        pytest.param(["2025-01-05"], 0, 0, id="its-only-one"),
        pytest.param(["2025-01-05", "2025-01-07"], 0, 0, id="the-open-one-though-older"),
        pytest.param(["2025-01-05", "2025-01-07"], 1, 1, id="the-open-one"),
        pytest.param(["2025-01-05"], None, 0, id="its-only-one-though-closed"),
        pytest.param(["2025-01-05", "2025-01-07", "2025-01-06"], None, 1, id="the-newest-closed"),
    ],
)
def test_an_open_conversation_comes_before_a_newer_closed_one(
    database, app, conversations, is_open, taken
):
    assert database.apply(CLOSING).run.error is None
    lead = lead_with_customer(app, phone="5551234567")
    ids = []
    for started in conversations:
        ids.append(add_conversation(app, lead, started=started))
        app.run('update "Conversation" set closed_at = now() where id = %s', ids[-1:])
    if is_open is not None:
        app.run('update "Conversation" set closed_at = null where id = %s', [ids[is_open]])
    audit = add_audit(app, lead, {"text": "hello"})
    before = rows(app, "Conversation")

    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures(reused=1, messages=1)
    assert conversation_of(app, audit) == ids[taken]
    assert rows(app, "Conversation") == before


def test_an_entry_of_a_closed_conversation_goes_into_the_one_opened_since(database, app):
    lead = lead_with_customer(app, phone="5551234567")
    first = add_audit(app, lead, {"text": "first"})
    database.apply(BATCH)
    database.apply(CLOSING)
    app.run("""update "Conversation" set closed_at = '2025-02-01'""")
    opened = add_conversation(app, lead, started="2025-02-02")
    second = add_audit(app, lead, {"text": "second"}, created="2025-02-03")

    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures(reused=1, messages=1, already=1)
    assert conversation_of(app, first) != opened
    assert conversation_of(app, second) == opened


def test_the_counts_of_every_run_add_up(database, app):
    leads = [lead_with_customer(app, psid=psid) for psid in ("1", "2")]
    for lead in leads:
        add_audit(app, lead, {"text": "hello"})
        add_audit(app, lead, {})
        add_audit(app, lead, {"text": "not a speaker"}, actor="dispatcher")

    first, second = database.apply(BATCH), database.apply(BATCH)
    add_audit(app, leads[0], {"text": "later"}, created="2025-02-01")
    add_audit(app, leads[0], None, created="2025-02-02")
    add_audit(app, lead_with_customer(app, psid="3"), {"text": "new"})
    third = database.apply(BATCH)

    assert statistics(first.run.text) == figures(created=2, messages=2, nothing=2)
    assert statistics(second.run.text) == figures(reused=2, already=2, nothing=2)
    assert statistics(third.run.text) == figures(
        created=1, reused=2, messages=2, already=2, nothing=3
    )
    assert len(log_of(app, "backfill_conversations_messages")) == 2


def test_a_later_run_picks_up_what_is_new_and_nothing_else(database, app):
    lead, other = lead_with_customer(app, psid="1"), lead_with_customer(app, psid="2")
    for each in (lead, other):
        add_audit(app, each, {"text": "hello"})
    database.apply(BATCH)
    conversations, messages = rows(app, "Conversation"), rows(app, "Message")
    later = add_audit(app, lead, {"text": "later"}, created="2025-02-01 09:00+00")
    add_audit(app, lead, {}, created="2025-03-01 09:00+00")

    database.apply(BATCH)

    (moved,) = set(rows(app, "Conversation")) - set(conversations)
    assert conversation_of(app, later) in moved
    assert '"last_message_at": "2025-02-01T09:00:00+00:00"' in moved
    (added,) = set(rows(app, "Message")) - set(messages)
    assert later in added
    assert set(messages) < set(rows(app, "Message"))


def test_a_conversation_follows_its_lead_to_a_customer(database, app):
    lead = add_lead(app, psid="1")
    add_audit(app, lead, {"text": "hello"})
    database.apply(BATCH)
    customer = add_customer(app)
    link(app, lead, customer)

    database.apply(BATCH)

    assert app.value('select customer_id::text from "Conversation"') == customer


def test_a_run_is_entered_in_the_audit_log(database, app):
    known = lead_with_customer(app, psid="1")
    add_conversation(app, known)
    for lead in (known, lead_with_customer(app, psid="2")):
        add_audit(app, lead, {"text": "hello"})
        add_audit(app, lead, {"text": "once more"})
        add_audit(app, lead, [])

    database.apply(BATCH)

    ((actor, of, payload),) = log_of(app, "backfill_conversations_messages")
    assert (actor, of) == ("system", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", payload.pop("timestamp"))
    assert payload == {
        "stats": {
            "conversationsCreated": 1,
            "conversationsSkipped": 1,
            "messagesCreated": 4,
            "messagesSkipped": 0,
            "auditsProcessed": 6,
            "auditsSkipped": 2,
            "errors": [],
        },
        "script": BATCH,
        "version": "batch-4",
    }


def test_a_run_over_nothing_changes_nothing(database, app):
    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures()
    assert log_of(app, "backfill_conversations_messages") == []
