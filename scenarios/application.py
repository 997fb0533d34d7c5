"""What the application writes, and how a backfill's figures are read."""

import json
import re

from psycopg import sql

from batchgate.sessions import Session

# A moment that no run can mistake for its own.
LONG_AGO = "2025-02-01 00:00+00"


def add_customer(
    app: Session,
    name: str | None = None,
    *,
    phone: str | None = None,
    email: str | None = None,
    metadata: object = None,
    created: str = "2025-01-01",
) -> str:
    """Add a customer and return its id."""
    document = json.dumps({} if metadata is None else metadata)
    customer: str = app.value(
        """
        insert into "Customer" (name, phone, email, metadata, created_at, updated_at)
        values (%s, %s, %s, %s, %s, %s)
        returning id::text
        """,
        [name, phone, email, document, f"{created} 08:00+00", LONG_AGO],
    )
    return customer


def add_lead(
    app: Session,
    name: str | None = None,
    *,
    channel: str = "sms",
    psid: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    created: str = "2025-01-01",
) -> str:
    """Add a lead without a customer and return its id."""
    lead: str = app.value(
        """
        insert into "Lead" (channel, "messengerPsid", phone, email, name, created_at, updated_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        returning id::text
        """,
        [channel, psid, phone, email, name, f"{created} 08:00+00", LONG_AGO],
    )
    return lead


def link(app: Session, lead: str, customer: str) -> None:
    """Link a lead to a customer."""
    app.run('update "Lead" set customer_id = %s where id = %s', [customer, lead])


def customer_of(app: Session, lead: str) -> str | None:
    """Return the id of a lead's customer."""
    customer: str | None = app.value('select customer_id::text from "Lead" where id = %s', [lead])
    return customer


def add_job(app: Session, lead: str, customer: str | None = None) -> str:
    """Add a job, of a customer where one is named, and return its id."""
    job: str = app.value(
        """
        insert into "Job" (lead_id, customer_id, window_start, window_end, updated_at)
        values (%s, %s, '2025-03-01 08:00+00', '2025-03-01 10:00+00', %s)
        returning id::text
        """,
        [lead, customer, LONG_AGO],
    )
    return job


def add_audit(
    app: Session,
    lead: str | None,
    payload: object,
    *,
    actor: str = "customer",
    action: str = "chat",
    created: str = "2025-01-01 09:00+00",
) -> str:
    """Add an entry to the audit log and return its id."""
    audit: str = app.value(
        """
        insert into "Audit" (lead_id, actor, action, payload, created_at)
        values (%s, %s, %s, %s, %s)
        returning id::text
        """,
        [lead, actor, action, json.dumps(payload), created],
    )
    return audit


def add_conversation(
    app: Session,
    lead: str | None,
    *,
    started: str = "2025-01-01",
    external_id: str | None = None,
    customer: str | None = None,
) -> str:
    """Add a conversation and return its id."""
    conversation: str = app.value(
        """
        insert into "Conversation" (lead_id, customer_id, channel, external_id, started_at)
        values (%s, %s, 'sms', %s, %s)
        returning id::text
        """,
        [lead, customer, external_id, f"{started} 08:00+00"],
    )
    return conversation


def add_message(app: Session, conversation: str, content: str) -> str:
    """Add a message to a conversation and return its id."""
    message: str = app.value(
        """
        insert into "Message" (conversation_id, role, content)
        values (%s, 'user', %s)
        returning id::text
        """,
        [conversation, content],
    )
    return message


def rows(app: Session, table: str) -> list[str]:
    """Read a table whole, each row as the text of all its columns."""
    query = sql.SQL("select to_jsonb(t)::text from {} as t order by 1")
    return [row for (row,) in app.run(query.format(sql.Identifier(table)).as_string())]


def log_of(app: Session, action: str) -> list[tuple[str, str | None, dict[str, object]]]:
    """Read who entered what into the audit log under an action, oldest first."""
    return app.run(
        'select actor, lead_id::text, payload from "Audit" where action = %s'
        " order by created_at, id",
        [action],
    )


def statistics(text: str) -> dict[str, int]:
    """Read the figures that a backfill prints at its end."""
    _, _, figures = text.partition("📊 Statistics:")
    return {name: int(value) for name, value in re.findall(r"^ {3}(\S.*?): +(\d+)$", figures, re.M)}


def counted(text: str) -> list[tuple[int, ...]]:
    """Read the figures of each line that has any, whatever its words."""
    lines = [re.findall(r"\b\d+\b", line) for line in text.splitlines()]
    return [tuple(int(each) for each in line) for line in lines if line]
