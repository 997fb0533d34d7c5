"""Does the sample data still hold every awkward case, and come through all batches with it?"""

from contextlib import ExitStack

import pytest

from batchgate.collect import HARNESS
from batchgate.fixtures import AtBatch

pytestmark = pytest.mark.backfill

BEFORE = "02_add_message_fts_index"
TOP = "07_tighten_constraints"

# As the backfills meet it.
CASES = {
    "phone-with-country-code": r"""select 1 from "Lead" where phone ~ '^\+1 \('""",
    "phone-with-dots": r"""select 1 from "Lead" where phone ~ '^\d{3}\.\d{3}\.\d{4}$'""",
    "phone-international": r"""select 1 from "Lead" where phone ~ '^\+44'""",
    "phone-of-eleven-digits": r"""select 1 from "Lead" where phone ~ '^[2-9]\d{10}$'""",
    "phone-too-short": r"""select 1 from "Lead" where phone ~ '\d' and length(phone) < 10""",
    "phone-without-a-number": r"""select 1 from "Lead" where phone ~ '^[a-z]+ [a-z]+'""",
    "email-with-blanks": r"""select 1 from "Lead" where email ~ '^\s+\S+\s+$'""",
    "email-with-capitals": """select 1 from "Lead" where email ~ '[A-Z]'""",
    "email-without-at": """select 1 from "Lead" where email !~ '@'""",
    "psid-of-blanks": """select 1 from "Lead" where "messengerPsid" ~ '^ +$'""",
    "psid-empty": """select 1 from "Lead" where "messengerPsid" = ''""",
    "none-of-it": """
        select 1 from "Lead" where coalesce("messengerPsid", phone, email) is null
    """,
    "lead-linked-beforehand": """select 1 from "Lead" where customer_id is not null""",
    "several-leads-of-one-psid": r"""
        select 1
        from "Lead"
        where "messengerPsid" ~ '\d'
        group by "messengerPsid"
        having count(*) > 1
    """,
    "one-phone-on-two-channels": r"""
        select 1
        from "Lead"
        group by right(regexp_replace(phone, '\D', '', 'g'), 10)
        having count(distinct channel) > 1
    """,
    "job-without-a-customer": """select 1 from "Job" where customer_id is null""",
    "job-with-one-already": """select 1 from "Job" where customer_id is not null""",
    "customer-made-beforehand": """select 1 from "Customer" where metadata = '{}'""",
    "conversation-of-a-lead": """select 1 from "Conversation" where lead_id is not null""",
    "payload-null": """select 1 from "Audit" where payload = 'null'""",
    "payload-empty-object": """select 1 from "Audit" where payload = '{}'""",
    "payload-empty-array": """select 1 from "Audit" where payload = '[]'""",
    "payload-empty-string": """select 1 from "Audit" where payload = '""'""",
    "payload-number": """select 1 from "Audit" where jsonb_typeof(payload) = 'number'""",
    "payload-nested": """select 1 from "Audit" where payload @? '$.*.*'""",
    "payload-to-be-cut": """
        select 1 from "Audit" where not payload ? 'text' and length(payload::text) > 1000
    """,
    "text-empty": """select 1 from "Audit" where payload ->> 'text' = ''""",
    "text-blank": r"""select 1 from "Audit" where payload ->> 'text' ~ '^\s+$'""",
    "text-a-number": """select 1 from "Audit" where jsonb_typeof(payload -> 'text') = 'number'""",
    "text-an-object": """select 1 from "Audit" where jsonb_typeof(payload -> 'text') = 'object'""",
    "text-an-array": """select 1 from "Audit" where jsonb_typeof(payload -> 'text') = 'array'""",
    "text-of-5000-characters": """
        select 1 from "Audit" where length(payload ->> 'text') = 5000
    """,
    "text-with-quotes": """select 1 from "Audit" where payload ->> 'text' ~ '''.*"'""",
    "text-with-percent": """select 1 from "Audit" where payload ->> 'text' ~ '%'""",
    "text-with-backslash": r"""select 1 from "Audit" where payload ->> 'text' ~ '\\'""",
    "text-non-latin": """select 1 from "Audit" where payload ->> 'text' ~ '[一-龠]'""",
    "message": """select 1 from "Audit" where payload ? 'message' and not payload ? 'text'""",
    "content": """select 1 from "Audit" where payload ? 'content' and not payload ? 'text'""",
    "body-sent": """select 1 from "Audit" where payload ? 'body' and action = 'message_sent'""",
    "body-of-another": """select 1 from "Audit" where payload ? 'body' and action ~ '^quote'""",
    "entry-of-no-lead": """select 1 from "Audit" where lead_id is null and actor = 'customer'""",
    "entry-of-no-speaker": """select 1 from "Audit" where actor = 'dispatcher'""",
}
# Once all batches stand.
STANDING = {
    "open": """select 1 from "Conversation" where closed_at is null""",
    "closed": """select 1 from "Conversation" where closed_at is not null""",
    "without-a-lead": """select 1 from "Conversation" where lead_id is null""",
    "kept-whole": """select 1 from "Message" where length(content) = 5000""",
    "cut": """select 1 from "Message" where length(content) = 1000""",
}
UNDONE = {
    "lead-without-a-customer": """select 1 from "Lead" where customer_id is null""",
    "job-without-a-customer": """select 1 from "Job" where customer_id is null""",
    "customer-of-the-application-touched": """
        select 1 from "Customer" where updated_at > '2025-03-01' and not metadata ? 'leadCount'
    """,
    "message-made-twice": """
        select 1
        from "Message"
        where metadata ? 'auditId'
        group by metadata ->> 'auditId'
        having count(*) > 1
    """,
}


@pytest.fixture(scope="module")
def before(request):
    """Open a session on the sample as the backfills meet it."""
    with ExitStack() as stack:
        yield AtBatch(request.config.stash[HARNESS], stack)(BEFORE).session("reader")


@pytest.fixture(scope="module")
def after(request):
    """Open a session on the sample with all batches applied."""
    with ExitStack() as stack:
        yield AtBatch(request.config.stash[HARNESS], stack)(TOP).session("reader")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_sample_holds_the_case(before, case):
    assert before.run(case) != []


@pytest.mark.parametrize("case", STANDING.values(), ids=STANDING)
def test_the_case_comes_through_all_batches(after, case):
    assert after.run(case) != []


@pytest.mark.parametrize("offence", UNDONE.values(), ids=UNDONE)
def test_the_backfills_leave_nothing_undone(after, offence):
    assert after.run(offence) == []
