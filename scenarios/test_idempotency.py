"""Does running anything once more, now or at a later height, change anything?"""

import re

import pytest
from prompt import BATCHES, SQL

BACKFILLS = ["03_backfill_customers", "04_backfill_conversations_messages"]
MIGRATIONS = [name for name in BATCHES if (SQL / name / "migration.sql").exists()]
VALIDATED = [name for name in MIGRATIONS if (SQL / name / "validation.sql").exists()]

LATER = [
    pytest.param(batch, height, id=f"{batch[:2]}-at-{height[:2]}")
    for batch in BACKFILLS
    for height in MIGRATIONS
    if height > batch
]


@pytest.mark.backfill
@pytest.mark.parametrize("sample", [True, False], ids=["sample", "empty"])
@pytest.mark.parametrize("batch", BACKFILLS)
def test_a_backfill_changes_nothing_the_second_time(at_batch, batch, sample):
    database = at_batch(batch, sample=sample)
    # What the application wrote since is new to it, and so picked up first.
    assert database.apply(batch).run.error is None
    before = database.state()

    ran = database.apply(batch)

    assert ran.run.error is None
    assert "Nothing changed, nothing to record" in ran.run.text
    assert database.changes_since(before) == []


@pytest.mark.backfill
@pytest.mark.parametrize(("batch", "height"), LATER)
def test_a_backfill_changes_nothing_at_a_later_height(at_batch, batch, height):
    database = at_batch(height)
    before = database.state()

    ran = database.apply(batch)

    assert ran.run.error is None
    assert "Nothing changed, nothing to record" in ran.run.text
    assert database.changes_since(before) == []


@pytest.mark.batches
@pytest.mark.parametrize("sample", [True, False], ids=["sample", "empty"])
@pytest.mark.parametrize("height", [name for name in BATCHES if name >= VALIDATED[0]])
def test_every_validation_holds_at_every_later_height(at_batch, height, sample):
    database = at_batch(height, sample=sample)

    validated = {name: database.validate(name).run for name in VALIDATED if name <= height}

    assert {name: run.error for name, run in validated.items() if run.error} == {}
    assert {name: run.text for name, run in validated.items() if "FAIL" in run.text} == {}


@pytest.mark.backfill
@pytest.mark.parametrize("height", [BACKFILLS[-1], BATCHES[-1]])
@pytest.mark.parametrize("batch", BACKFILLS)
def test_a_check_without_rows_to_look_at_is_no_pass(at_batch, batch, height):
    text = at_batch(height, sample=False).validate(batch).run.text

    found = dict(re.findall(r"=== TEST \d+: (.*) ===\n(.*)", text))
    assert found.pop("Record Table").startswith("✓ PASS")
    assert len(found) == 7
    assert [line for line in found.values() if "not exercised" not in line] == []
    assert text.count("PASS") == 1


@pytest.mark.backfill
@pytest.mark.parametrize(
    ("batch", "damage", "failing"),
    [
        pytest.param(
            BACKFILLS[0],
            """insert into "Lead" (channel) values ('sms')""",
            {"Leads Linked", "NULL customer_id (Lead)"},
            id="lead-without-customer",
        ),
        pytest.param(
            BACKFILLS[0],
            """
            update "Job"
            set customer_id = null
            where id in (select id from "Job" order by id limit 1)
            """,
            {"Jobs Linked", "NULL customer_id (Job)", "Job/Lead Mismatch"},
            id="job-without-customer",
        ),
        pytest.param(
            BACKFILLS[0],
            """update "Customer" set metadata = '{}' where metadata ? 'leadCount'""",
            {"Customers Created"},
            id="customer-without-its-metadata",
        ),
        pytest.param(
            BACKFILLS[0],
            """delete from "Audit" where action = 'backfill_customers'""",
            {"Audit Entries"},
            id="no-entry-of-the-customers",
        ),
        pytest.param(
            BACKFILLS[1],
            """
            insert into "Audit" (lead_id, actor, action, payload)
            select id, 'customer', 'chat', '{"text": "new"}' from "Lead" order by id limit 1
            """,
            {"Message Coverage"},
            id="entry-without-message",
        ),
        pytest.param(
            BACKFILLS[1],
            """
            insert into "Audit" (lead_id, actor, action, payload)
            select l.id, 'customer', 'chat', '{}'
            from "Lead" as l
            where not exists (select from "Conversation" as c where c.lead_id = l.id)
            order by l.id
            limit 1
            """,
            {"Conversation Coverage"},
            id="history-without-conversation",
        ),
        pytest.param(
            BACKFILLS[1],
            """
            insert into "Message" (conversation_id, role, content, metadata)
            select conversation_id, role, content, metadata
            from "Message"
            where metadata ? 'auditId'
            order by id
            limit 1
            """,
            {"One Message per Audit Entry"},
            id="message-made-twice",
        ),
        pytest.param(
            BACKFILLS[1],
            """update "Message" set role = 'tool' where metadata ? 'auditId'""",
            {"Message Roles and Times"},
            id="another-role",
        ),
        pytest.param(
            BACKFILLS[1],
            """update "Conversation" set last_message_at = '2001-01-01'""",
            {"Last Message"},
            id="last-message-too-early",
        ),
    ],
)
def test_a_validation_names_what_is_wrong(at_batch, session, batch, damage, failing):
    database = at_batch(batch)
    assert database.apply(batch).run.error is None
    session("app").run(damage)

    ran = database.validate(batch)

    assert ran.run.error is not None
    found = dict(re.findall(r"=== TEST \d+: (.*) ===\n(.*)", ran.run.text))
    assert {title for title, verdict in found.items() if verdict.startswith("✗ FAIL")} == failing
