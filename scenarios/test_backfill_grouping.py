"""Which leads does the customer backfill take for one person?"""

import re
from contextlib import ExitStack

import pytest
from application import add_lead, customer_of, statistics

from batchgate.collect import HARNESS
from batchgate.fixtures import AtBatch

pytestmark = pytest.mark.backfill

BELOW = "02_add_message_fts_index"
BATCH = "03_backfill_customers"

GROUPED = """
    select l.id::text, c.metadata ->> 'groupKey', c.phone, c.email
    from "Lead" as l
    join "Customer" as c
        on c.id = l.customer_id
    order by l.id
"""

PHONES = [
    pytest.param("+1 (555) 123-4567", "5551234567", id="plus-one"),
    pytest.param("555.123.4567", "5551234567", id="dots"),
    pytest.param("5551234567", "5551234567", id="bare-ten-digits"),
    pytest.param(" 555 123 4567 ", "5551234567", id="blanks-around"),
    pytest.param("1-555-123-4567", "5551234567", id="eleven-beginning-with-one"),
    pytest.param("25551234567", "25551234567", id="eleven-not-beginning-with-one"),
    pytest.param("1234567890", "1234567890", id="ten-beginning-with-one"),
    pytest.param("155512345678", "155512345678", id="twelve-beginning-with-one"),
    pytest.param("11555123456", "1555123456", id="only-one-one-is-lost"),
    pytest.param("+44 20 7946 0958", "442079460958", id="international"),
    pytest.param("0044 20 7946 0958", "00442079460958", id="international-with-zeros"),
    pytest.param("(555) 987-6543 ext. 2", "55598765432", id="extension"),
    pytest.param("tel:555-123-4567", "5551234567", id="letters-and-ten-digits"),
    pytest.param("1555123456", "1555123456", id="ten-digits-keep-their-one"),
    pytest.param("555-123-456", None, id="nine-digits"),
    pytest.param("1-555-0123", None, id="eight-digits-beginning-with-one"),
    pytest.param("call after 5", None, id="letters"),
    pytest.param("", None, id="empty"),
    pytest.param("   ", None, id="blank"),
]
EMAILS = [
    pytest.param("USER@EXAMPLE.COM", "user@example.com", id="capitals"),
    pytest.param(" user@example.com ", "user@example.com", id="blanks"),
    pytest.param("\tUser@Example.com\r\n", "user@example.com", id="tab-and-line-end"),
    pytest.param("\u00a0user@example.com\u3000", "user@example.com", id="wide-blanks"),
    pytest.param("User+Tag@Example.com", "user+tag@example.com", id="tag-is-kept"),
    pytest.param("user name@example.com", "user name@example.com", id="blank-inside-is-kept"),
    pytest.param("user.example.com", None, id="without-at"),
    pytest.param(" \t", None, id="blank"),
]


@pytest.fixture
def database(at_batch):
    return at_batch(BELOW, sample=False)


@pytest.fixture
def app(database, session):
    return session("app")


@pytest.fixture(scope="module")
def grouped(request):
    """Group a lead of every spelling in one run, by what it was spelled like."""
    with ExitStack() as stack:
        database = AtBatch(request.config.stash[HARNESS], stack)(BELOW, sample=False)
        app = database.session("app")
        leads = {}
        for phone, _ in (each.values for each in PHONES):
            leads[add_lead(app, phone=phone)] = phone
        for email, _ in (each.values for each in EMAILS):
            leads[add_lead(app, email=email)] = email
        assert database.apply(BATCH).run.error is None
        yield {leads[lead]: (lead, *found) for lead, *found in app.run(GROUPED)}


@pytest.mark.parametrize(("phone", "digits"), PHONES)
def test_a_phone_is_known_by_its_digits(grouped, phone, digits):
    lead, *found = grouped[phone]

    assert found == [f"phone:{digits}" if digits else f"individual:{lead}", digits, None]


@pytest.mark.parametrize(("email", "address"), EMAILS)
def test_an_email_is_trimmed_and_lower_cased(grouped, email, address):
    lead, *found = grouped[email]

    assert found == [f"email:{address}" if address else f"individual:{lead}", None, address]


@pytest.mark.parametrize(
    ("psid", "phone", "email", "kind"),
    [
        pytest.param("1001", "5551234567", "a@example.com", "psid", id="psid-before-all"),
        pytest.param(None, "5551234567", "a@example.com", "phone", id="phone-before-email"),
        pytest.param("   ", "5551234567", None, "phone", id="blank-psid-is-none"),
        pytest.param("", "5551234567", None, "phone", id="empty-psid-is-none"),
        pytest.param("", "555-0123", "a@example.com", "email", id="short-phone-is-none"),
        pytest.param(None, "555-0123", "nobody", "individual", id="neither-is-one"),
        pytest.param(None, None, None, "individual", id="nothing"),
    ],
)
def test_the_most_reliable_identifier_decides(database, app, psid, phone, email, kind):
    lead = add_lead(app, psid=psid, phone=phone, email=email)

    ran = database.apply(BATCH)

    ((_, key, *_),) = app.run(GROUPED)
    identifiers = {"psid": psid, "phone": phone, "email": email, "individual": lead}
    assert key == f"{kind}:{identifiers[kind]}"
    said = {"psid": "PSID", "phone": "Phone", "email": "Email", "individual": "Individual"}
    for each, word in said.items():
        wanted = f"- {word if each == 'individual' else f'By {word}'}: {int(each == kind)}"
        assert wanted in ran.run.text


@pytest.mark.parametrize(
    ("leads", "people"),
    [
        pytest.param(
            {"a": {"psid": "1"}, "b": {"psid": "1"}, "c": {"psid": "1", "phone": "5551234567"}},
            ["abc"],
            id="several-leads-of-one-psid",
        ),
        pytest.param(
            {"a": {"psid": "1", "channel": "messenger"}, "b": {"psid": "1"}},
            ["ab"],
            id="one-psid-on-two-channels",
        ),
        pytest.param(
            {"a": {"phone": "+15551234567", "channel": "messenger"}, "b": {"phone": "5551234567"}},
            ["ab"],
            id="one-phone-on-two-channels",
        ),
        pytest.param(
            {"a": {"psid": "1", "phone": "5551234567"}, "b": {"psid": "2", "phone": "5551234567"}},
            ["a", "b"],
            id="two-psids-with-one-phone",
        ),
        pytest.param(
            {"a": {"psid": "1", "phone": "5551234567"}, "b": {"phone": "5551234567"}},
            ["a", "b"],
            id="psid-and-phone-alone",
        ),
        pytest.param(
            {"a": {"psid": ""}, "b": {"psid": ""}, "c": {"psid": "  "}, "d": {}},
            ["a", "b", "c", "d"],
            id="blank-psids-are-not-one-person",
        ),
        pytest.param(
            {"a": {"phone": "123"}, "b": {"phone": "123"}},
            ["a", "b"],
            id="short-phones-are-not-one-person",
        ),
        pytest.param(
            {"a": {"email": "nobody"}, "b": {"email": "nobody"}},
            ["a", "b"],
            id="no-addresses-are-not-one-person",
        ),
        pytest.param(
            {"a": {"email": "X@example.com "}, "b": {"email": "x@EXAMPLE.com"}},
            ["ab"],
            id="one-email-in-two-spellings",
        ),
        pytest.param(
            {
                "a": {"phone": "5551234567", "email": "x@example.com"},
                "b": {"phone": "5551234568", "email": "x@example.com"},
                "c": {"email": "x@example.com"},
            },
            ["a", "b", "c"],
            id="phones-keep-one-email-apart",
        ),
        pytest.param(
            {"a": {"psid": "5551234567"}, "b": {"phone": "5551234567"}},
            ["a", "b"],
            id="psid-that-looks-like-a-phone",
        ),
    ],
)
def test_leads_of_one_person_get_one_customer(database, app, leads, people):
    ids = {add_lead(app, name, **identifiers): name for name, identifiers in leads.items()}

    ran = database.apply(BATCH)

    found: dict[str | None, str] = {}
    for lead, name in ids.items():
        customer = customer_of(app, lead)
        found[customer] = found.get(customer, "") + name
    assert sorted(found.values()) == people
    told = statistics(ran.run.text)
    assert (told["Customers created"], told["Leads linked"]) == (len(people), len(leads))


def test_a_customer_tells_where_it_comes_from(database, app):
    add_lead(app, "", psid="1001", created="2025-01-01")
    add_lead(app, "Ana", psid="1001", phone="+1 (555) 123-4567", created="2025-01-02")
    add_lead(app, "Ana B.", psid="1001", phone="5550000000", created="2025-01-03")
    add_lead(app, "Ben", psid="1002", email="BEN@example.com")

    database.apply(BATCH)

    customers = app.run('select name, phone, email, metadata from "Customer" order by name')
    made = [metadata.pop("createdAt") for *_, metadata in customers]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each) for each in made)
    common = {"groupType": "psid", "createdBy": BATCH}
    assert customers == [
        (
            "Ana",
            "5551234567",
            None,
            common | {"groupKey": "psid:1001", "leadCount": 3, "multipleLeads": True},
        ),
        (
            "Ben",
            None,
            "ben@example.com",
            common | {"groupKey": "psid:1002", "leadCount": 1, "multipleLeads": False},
        ),
    ]
