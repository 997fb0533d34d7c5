"""Backfill row by row, as an application's script does it: the peer that rowbyrow.py measures.

python benchmarks/application.py CONNINFO BATCH
"""

import json
import re
import resource
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

ROLES = {
    "customer": "user",
    "user": "user",
    "agent": "assistant",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}
BODY_ACTIONS = ("message_sent", "message_received")
# A customer that this run made, and that is now's, is another group's.
LOOK = {
    kind: f'select id from "Customer" where {found} and created_at < now()'
    " order by created_at limit 1"
    for kind, found in {
        "psid": "metadata ->> 'groupKey' = %(key)s",
        "phone": "phone = %(phone)s",
        "email": "email = %(email)s",
    }.items()
}
MAKE_CUSTOMER = (
    'insert into "Customer" (name, phone, email, metadata)'
    " values (%(name)s, %(phone)s, %(email)s, %(metadata)s) returning id"
)
LINK_LEAD = 'update "Lead" set customer_id = %s where id = %s'
LINK_JOBS = 'update "Job" set customer_id = %s where lead_id = %s and customer_id is null'
MAKE_AUDIT = """insert into "Audit" (actor, action, payload) values ('system', %s, %s)"""
MAKE_CONVERSATION = (
    'insert into "Conversation"'
    " (customer_id, lead_id, channel, external_id, started_at, last_message_at, metadata)"
    " values (%s, %s, %s, %s, %s, %s, %s) returning id"
)
MAKE_MESSAGE = (
    'insert into "Message" (conversation_id, role, content, metadata, created_at)'
    " values (%s, %s, %s, %s, %s)"
)


@dataclass(frozen=True)
class Known:
    """By what a lead is known, as the batch groups them."""

    kind: str
    key: str
    name: str | None
    phone: str | None
    email: str | None


class Application:
    """A session that counts its trips to the server."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self.cursor = session.cursor(row_factory=namedtuple_row)
        self.trips = 0

    def send(self, statement: str, given: Any = None) -> psycopg.Cursor[Any]:
        """Send one statement and wait for its answer."""
        self.trips += 1
        return self.cursor.execute(statement, given)


def backfill_customers(application: Application) -> None:
    """Group the leads, make each group's customer, and link its leads and their jobs."""
    leads = application.send(
        'select id, name, "messengerPsid" as psid, phone, email, customer_id from "Lead"'
        " order by created_at, id"
    ).fetchall()
    groups: defaultdict[str, list[tuple[Any, Known]]] = defaultdict(list)
    for lead in leads:
        if lead.customer_id is None:
            known = _known(lead)
            groups[known.key].append((lead.id, known))
    for members in groups.values():
        customer = _customer_of(application, [known for _, known in members])
        for lead_id, _ in members:
            application.send(LINK_LEAD, (customer, lead_id))
            application.send(LINK_JOBS, (customer, lead_id))
    application.send(MAKE_AUDIT, ("backfill_customers", Jsonb({"version": "batch-3"})))


def _known(lead: Any) -> Known:
    psid, phone, email = (lead.psid or "").strip(), _phone(lead.phone), _email(lead.email)
    key = psid or phone or email or str(lead.id)
    kind = "psid" if psid else "phone" if phone else "email" if email else "individual"
    return Known(kind, f"{kind}:{key}", (lead.name or "").strip() or None, phone, email)


def _phone(raw: str | None) -> str | None:
    digits = re.sub(r"\D", "", raw or "")
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    return digits if len(digits) >= 10 else None


def _email(raw: str | None) -> str | None:
    email = (raw or "").strip().lower()
    return email if "@" in email else None


def _customer_of(application: Application, members: Sequence[Known]) -> Any:
    """Return the id of a group's customer, which is made where none is found."""
    first = members[0]
    given = {
        "key": first.key,
        **{
            name: next(filter(None, (getattr(known, name) for known in members)), None)
            for name in ("name", "phone", "email")
        },
    }
    if first.kind in LOOK:
        found = application.send(LOOK[first.kind], given).fetchone()
        if found:
            return found.id
    metadata = {
        "groupType": first.kind,
        "groupKey": first.key,
        "leadCount": len(members),
        "createdBy": "backfill-customers",
        "multipleLeads": len(members) > 1,
    }
    made = application.send(MAKE_CUSTOMER, {**given, "metadata": Jsonb(metadata)}).fetchone()
    assert made is not None
    return made.id


def backfill_messages(application: Application) -> None:
    """Make a conversation for each lead with message history, and each of its messages."""
    audits = application.send(
        "select a.id, a.lead_id, a.actor, a.action, a.payload, a.created_at"
        ' from "Audit" as a where a.lead_id is not null and a.actor = any (%s)'
        " order by a.created_at, a.id",
        (list(ROLES),),
    ).fetchall()
    leads = application.send(
        'select id, customer_id, channel, "messengerPsid" as psid, phone, created_at from "Lead"'
        " order by created_at, id"
    ).fetchall()
    said: defaultdict[Any, list[Any]] = defaultdict(list)
    for audit in audits:
        told = said[audit.lead_id]
        if audit.payload not in (None, {}, [], ""):
            told.append(audit)
    taken: set[tuple[str, str]] = set()
    for lead in leads:
        if lead.id in said:
            _tell(application, lead, said[lead.id], taken)
    application.send(MAKE_AUDIT, ("backfill_conversations_messages", Jsonb({"version": "batch-4"})))


def _tell(
    application: Application, lead: Any, audits: Sequence[Any], taken: set[tuple[str, str]]
) -> None:
    external = (lead.psid or "").strip() or _phone(lead.phone)
    metadata = {"source": "audit_backfill"}
    if external and (lead.channel, external) in taken:
        metadata["note"] = f"external_id {external} belongs to another conversation"
        external = None
    elif external:
        taken.add((lead.channel, external))
    newest = max((audit.created_at for audit in audits), default=None)
    made = application.send(
        MAKE_CONVERSATION,
        (
            lead.customer_id,
            lead.id,
            lead.channel,
            external,
            lead.created_at,
            newest,
            Jsonb(metadata),
        ),
    ).fetchone()
    assert made is not None
    for audit in audits:
        origin = {"source": "audit_backfill", "auditId": str(audit.id)}
        row = (made.id, ROLES[audit.actor], _text(audit), Jsonb(origin), audit.created_at)
        application.send(MAKE_MESSAGE, row)


def _text(audit: Any) -> str:
    keys = ("text", "message", "content", *(("body",) if audit.action in BODY_ACTIONS else ()))
    for key in keys:
        text = audit.payload.get(key)
        if isinstance(text, str) and text.strip():
            return text
    return json.dumps(audit.payload)[:1000]


BACKFILLS = {
    "03_backfill_customers": backfill_customers,
    "04_backfill_conversations_messages": backfill_messages,
}


def main() -> None:
    """Run one backfill in one transaction, and print what it took."""
    conninfo, batch = sys.argv[1:]
    with psycopg.connect(conninfo) as session:
        application = Application(session)
        begun = perf_counter()
        BACKFILLS[batch](application)
        session.commit()
        seconds = perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "trips": application.trips}))


if __name__ == "__main__":
    main()
