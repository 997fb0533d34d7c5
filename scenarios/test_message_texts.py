"""In whose role and in which words does an audit entry become a message?"""

import json
from contextlib import ExitStack

import pytest
from application import add_audit, add_lead

from batchgate.collect import HARNESS
from batchgate.fixtures import AtBatch

pytestmark = pytest.mark.backfill

BELOW = "03_backfill_customers"
BATCH = "04_backfill_conversations_messages"

MESSAGES = """
    select a.id::text, m.role::text, m.content
    from "Audit" as a
    join "Message" as m
        on m.metadata ->> 'auditId' = a.id::text
    order by a.id
"""

HAN = "粗大ごみ、お願いします 🛋️"
# What PostgreSQL writes for a payload that shows no text of its own.
LONG = json.dumps({"dump": "é" * 2000}, ensure_ascii=False)

SHOWN = [
    pytest.param("chat", {"text": "a sofa"}, "a sofa", id="text"),
    pytest.param("chat", {"message": "a sofa"}, "a sofa", id="message"),
    pytest.param("chat", {"content": "a sofa"}, "a sofa", id="content"),
    pytest.param("message_sent", {"body": "a sofa"}, "a sofa", id="body-sent"),
    pytest.param("message_received", {"body": "a sofa"}, "a sofa", id="body-received"),
    pytest.param("quote_made", {"body": "a sofa"}, '{"body": "a sofa"}', id="body-of-another"),
    pytest.param("quote_made", {"text": "any action"}, "any action", id="text-of-any-action"),
    pytest.param(
        "message_sent",
        {"body": "4", "content": "3", "message": "2", "text": "1"},
        "1",
        id="text-before-all",
    ),
    pytest.param(
        "message_sent", {"body": "4", "content": "3", "message": "2"}, "2", id="message-before"
    ),
    pytest.param("message_sent", {"body": "4", "content": "3"}, "3", id="content-before-body"),
    pytest.param("chat", {"text": "", "message": "next"}, "next", id="empty-text"),
    pytest.param("chat", {"text": " \t\r\n", "content": "next"}, "next", id="blank-text"),
    pytest.param("chat", {"text": "\u00a0\u3000", "content": "next"}, "next", id="wide-blanks"),
    pytest.param("chat", {"text": None, "message": "next"}, "next", id="null-text"),
    pytest.param("chat", {"text": 42, "message": "next"}, "next", id="number-text"),
    pytest.param("chat", {"text": True, "message": "next"}, "next", id="boolean-text"),
    pytest.param("chat", {"text": {"text": "in"}, "message": "next"}, "next", id="object-text"),
    pytest.param("chat", {"text": ["in"], "message": "next"}, "next", id="array-text"),
    pytest.param("message_sent", {"text": 1, "body": "next"}, "next", id="number-text-then-body"),
    pytest.param("chat", {"Text": "other key"}, '{"Text": "other key"}', id="key-by-its-letters"),
    pytest.param("chat", {"text": ""}, '{"text": ""}', id="only-empty-text"),
    pytest.param("chat", {"text": "  "}, '{"text": "  "}', id="only-blank-text"),
    pytest.param("chat", {"text": None}, '{"text": null}', id="only-null-text"),
    pytest.param("chat", {"text": 42}, '{"text": 42}', id="only-number-text"),
    pytest.param(
        "tool_call",
        {"r": {"items": ["sofa", None], "price": 80}},
        '{"r": {"items": ["sofa", null], "price": 80}}',
        id="nested",
    ),
    pytest.param("chat", [{"text": "in"}], '[{"text": "in"}]', id="array"),
    pytest.param("chat", ["text"], '["text"]', id="array-of-the-key"),
    pytest.param("chat", "bare", '"bare"', id="bare-string"),
    pytest.param("chat", "text", '"text"', id="bare-string-of-the-key"),
    pytest.param("chat", 17, "17", id="bare-number"),
    pytest.param("chat", 0, "0", id="bare-zero"),
    pytest.param("chat", False, "false", id="bare-boolean"),
    pytest.param("chat", [None], "[null]", id="array-of-null"),
    pytest.param("chat", {"text": "x" * 5000}, "x" * 5000, id="5000-characters-kept"),
    pytest.param("chat", {"text": "é" * 5000}, "é" * 5000, id="5000-wide-characters-kept"),
    pytest.param("chat", {"dump": "é" * 2000}, LONG[:1000], id="payload-cut-at-1000-characters"),
    pytest.param(
        "chat", {"dump": "x" * 988}, json.dumps({"dump": "x" * 988}), id="payload-of-1000"
    ),
    pytest.param("chat", {"text": "  kept\nas it is  "}, "  kept\nas it is  ", id="blanks-kept"),
    pytest.param("chat", {"text": 'it\'s "100"'}, 'it\'s "100"', id="quotes"),
    pytest.param("chat", {"text": "100% %s %% $1 :x"}, "100% %s %% $1 :x", id="percent"),
    pytest.param("chat", {"text": "C:\\new \\' \\"}, "C:\\new \\' \\", id="backslashes"),
    pytest.param("chat", {"text": HAN}, HAN, id="non-latin"),
    pytest.param("chat", {"ключ": "я\\"}, '{"ключ": "я\\\\"}', id="non-latin-payload"),
    pytest.param("chat", None, None, id="nothing-in-null"),
    pytest.param("chat", {}, None, id="nothing-in-an-object"),
    pytest.param("chat", [], None, id="nothing-in-an-array"),
    pytest.param("chat", "", None, id="nothing-in-a-string"),
]
ROLES = [
    pytest.param("customer", "user", id="customer"),
    pytest.param("user", "user", id="user"),
    pytest.param("agent", "assistant", id="agent"),
    pytest.param("assistant", "assistant", id="assistant"),
    pytest.param("system", "system", id="system"),
    pytest.param("tool", "tool", id="tool"),
    pytest.param("dispatcher", None, id="another"),
    pytest.param("Customer", None, id="another-by-its-capital"),
    pytest.param("", None, id="none"),
]


@pytest.fixture(scope="module")
def spoken(request):
    """Make messages of every payload and actor in one run, by what was entered."""
    with ExitStack() as stack:
        database = AtBatch(request.config.stash[HARNESS], stack)(BELOW, sample=False)
        app = database.session("app")
        lead = add_lead(app)
        audits = {}
        for each in SHOWN:
            action, payload, _ = each.values
            audits[add_audit(app, lead, payload, action=action)] = str((action, payload))
        for each in ROLES:
            audits[add_audit(app, lead, {"text": "hello"}, actor=each.values[0])] = each.values[0]
        assert database.apply(BATCH).run.error is None
        yield {audits[audit]: (role, content) for audit, role, content in app.run(MESSAGES)}


@pytest.mark.parametrize(("action", "payload", "content"), SHOWN)
def test_a_message_shows_the_text_of_its_payload(spoken, action, payload, content):
    assert spoken.get(str((action, payload))) == (
        ("user", content) if content is not None else None
    )


@pytest.mark.parametrize(("actor", "role"), ROLES)
def test_the_actor_decides_the_role(spoken, actor, role):
    assert spoken.get(actor) == ((role, "hello") if role else None)
