"""What is a conversation known by, where several leads share a phone?"""

import pytest
from application import add_audit, add_conversation, add_lead

from batchgate.sessions import Session

pytestmark = pytest.mark.backfill

BELOW = "03_backfill_customers"
BATCH = "04_backfill_conversations_messages"


@pytest.fixture
def database(at_batch):
    return at_batch(BELOW, sample=False)


@pytest.fixture
def app(database, session):
    return session("app")


def external_ids(app: Session) -> dict[str, tuple[str | None, bool]]:
    """Read by lead what its conversation is known by, and whether a note stands there."""
    found = app.run(
        """
        select lead_id::text, external_id, metadata ? 'note'
        from "Conversation"
        where metadata ->> 'source' = 'audit_backfill'
        order by lead_id
        """
    )
    return {lead: (external_id, noted) for lead, external_id, noted in found}


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        pytest.param([{"psid": "1001"}], [("1001", False)], id="psid"),
        pytest.param([{"psid": "1001", "phone": "5551234567"}], [("1001", False)], id="psid-first"),
        pytest.param([{"phone": "+1 (555) 123-4567"}], [("5551234567", False)], id="phone"),
        pytest.param(
            [{"psid": "  ", "phone": "555.123.4567"}], [("5551234567", False)], id="blank-psid"
        ),
        pytest.param([{"phone": "555-0123"}], [(None, False)], id="short-phone"),
        pytest.param(
            [{"phone": "+1 (555) 123-4567" + " " * 60}],
            [("5551234567", False)],
            id="phone-with-much-around-it",
        ),
        pytest.param([{}, {}], [(None, False), (None, False)], id="nothing-is-not-shared"),
        pytest.param(
            [
                {"phone": "5551234567", "created": "2025-01-02"},
                {"phone": "+1 555 123 4567", "created": "2025-01-01"},
                {"phone": "555.123.4567", "created": "2025-01-03"},
            ],
            [(None, True), ("5551234567", False), (None, True)],
            id="the-oldest-of-one-phone",
        ),
        pytest.param(
            [{"psid": "1", "created": "2025-01-02"}, {"psid": "1", "created": "2025-01-01"}],
            [(None, True), ("1", False)],
            id="the-oldest-of-one-psid",
        ),
        pytest.param(
            [{"phone": "5551234567"}, {"phone": "5551234567", "channel": "messenger"}],
            [("5551234567", False), ("5551234567", False)],
            id="each-channel-has-its-own",
        ),
        pytest.param(
            [{"psid": "5551234567"}, {"phone": "5551234567", "created": "2025-01-02"}],
            [("5551234567", False), (None, True)],
            id="psid-that-looks-like-a-phone",
        ),
    ],
)
def test_a_conversation_is_known_by_psid_or_phone(database, app, leads, expected):
    ids = [add_lead(app, **each) for each in leads]
    for lead in ids:
        add_audit(app, lead, {"text": "hello"})

    ran = database.apply(BATCH)

    assert ran.run.error is None
    found = external_ids(app)
    assert [found[lead] for lead in ids] == expected


def test_an_external_id_of_the_application_is_not_taken(database, app):
    add_conversation(app, None, external_id="5551234567")
    lead = add_lead(app, phone="5551234567")
    free = add_lead(app, phone="5551234567", channel="messenger")
    for each in (lead, free):
        add_audit(app, each, {"text": "hello"})

    assert database.apply(BATCH).run.error is None

    assert external_ids(app) == {lead: (None, True), free: ("5551234567", False)}


def test_an_external_id_of_an_earlier_run_is_not_taken(database, app):
    younger = add_lead(app, phone="5551234567", created="2025-01-02")
    add_audit(app, younger, {"text": "hello"})
    database.apply(BATCH)
    older = add_lead(app, phone="5551234567", created="2025-01-01")
    add_audit(app, older, {"text": "hello"})

    assert database.apply(BATCH).run.error is None

    assert external_ids(app) == {younger: ("5551234567", False), older: (None, True)}
