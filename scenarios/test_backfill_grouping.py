"""Which leads does the customer backfill take for one person, and whose customer does it take?"""

import re
from contextlib import ExitStack

import pytest

from batchgate.collect import HARNESS
from batchgate.fixtures import AtBatch
from batchgate.sessions import Session

pytestmark = pytest.mark.backfill

BELOW = "02_add_message_fts_index"
BATCH = "03_backfill_customers"

ADD_LEAD = """
    insert into "Lead" (channel, "messengerPsid", phone, email, name, created_at, updated_at)
    values (%s, %s, %s, %s, %s, %s, '2025-02-01 00:00+00')
    returning id::text
"""
ADD_CUSTOMER = """
    insert into "Customer" (name, phone, email, metadata, created_at, updated_at)
    values (%s, %s, %s, %s, %s, '2025-02-01 00:00+00')
    returning id::text
"""
ADD_JOB = """
    insert into "Job" (lead_id, customer_id, window_start, window_end, updated_at)
    values (%s, %s, '2025-03-01 08:00+00', '2025-03-01 10:00+00', '2025-02-01 00:00+00')
    returning id::text
"""
GROUPED = """
    select l.id::text, c.metadata ->> 'groupKey', c.phone, c.email
    from "Lead" as l
    join "Customer" as c
        on c.id = l.customer_id
    order by l.id
"""
AUDIT_ENTRIES = """
    select actor, lead_id, payload from "Audit" where action = 'backfill_customers' order by payload
"""

PHONES = [
    pytest.param("+1 (555) 123-4567", "5551234567", id="seed-plus-one"),
    pytest.param("555.123.4567", "5551234567", id="seed-dots"),
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
    pytest.param("USER@EXAMPLE.COM", "user@example.com", id="seed-capitals"),
    pytest.param(" user@example.com ", "user@example.com", id="seed-blanks"),
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
    lead: str = app.value(ADD_LEAD, [channel, psid, phone, email, name, f"{created} 08:00+00"])
    return lead


def add_customer(
    app: Session,
    name: str | None = None,
    *,
    phone: str | None = None,
    email: str | None = None,
    metadata: str = "{}",
    created: str = "2025-01-01",
) -> str:
    values = [name, phone, email, metadata, f"{created} 08:00+00"]
    customer: str = app.value(ADD_CUSTOMER, values)
    return customer


def add_job(app: Session, lead: str, customer: str | None = None) -> str:
    job: str = app.value(ADD_JOB, [lead, customer])
    return job


def link(app: Session, lead: str, customer: str) -> None:
    app.run('update "Lead" set customer_id = %s where id = %s', [customer, lead])


def customer_of(app: Session, lead: str) -> str | None:
    customer: str | None = app.value(
        'select customer_id::text from "Lead" where id = %s',
        [lead],
    )
    return customer


def rows(app: Session, table: str) -> list[str]:
    """Read a table whole, each row as the text of all its columns."""
    queries = {
        "Customer": 'select to_jsonb(c)::text from "Customer" as c order by c.id',
        "Lead": 'select to_jsonb(l)::text from "Lead" as l order by l.id',
        "Job": 'select to_jsonb(j)::text from "Job" as j order by j.id',
    }
    return [row for (row,) in app.run(queries[table])]


def statistics(text: str) -> dict[str, int]:
    """Read the figures under the title of that name."""
    _, _, figures = text.partition("📊 Statistics:")
    return {name: int(value) for name, value in re.findall(r"^ {3}(\S.*?): +(\d+)$", figures, re.M)}


def figures(
    created: int = 0,
    reused: int = 0,
    linked: int = 0,
    already: int = 0,
    jobs: int = 0,
    jobs_already: int = 0,
) -> dict[str, int]:
    return {
        "Customers created": created,
        "Customers reused": reused,
        "Leads linked": linked,
        "Leads already linked": already,
        "Jobs linked": jobs,
        "Jobs already linked": jobs_already,
        "Errors": 0,
    }


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
    assert statistics(ran.run.text) == figures(created=len(people), linked=len(leads))


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


def test_a_run_is_entered_in_the_audit_log(database, app):
    add_customer(app, phone="5552220001")
    add_lead(app, phone="5552220001")
    linked = add_lead(app, psid="1002")
    link(app, linked, add_customer(app))
    lead = add_lead(app, psid="1001")
    add_lead(app, psid="1001")
    add_job(app, lead)
    add_job(app, linked, add_customer(app))

    database.apply(BATCH)

    ((actor, of, payload),) = app.run(AUDIT_ENTRIES)
    assert (actor, of) == ("system", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", payload.pop("timestamp"))
    assert payload == {
        "stats": {
            "customersCreated": 1,
            "customersSkipped": 2,
            "leadsLinked": 3,
            "leadsAlreadyLinked": 1,
            "jobsLinked": 1,
            "jobsAlreadyLinked": 1,
            "errors": [],
        },
        "script": BATCH,
        "version": "batch-3",
    }


@pytest.mark.parametrize(
    ("lead", "customers", "taken"),
    [
        pytest.param(
            {"psid": "2001", "phone": "5552220001"},
            [{"metadata": '{"groupKey": "psid:2001"}'}, {"phone": "5552220001"}],
            0,
            id="psid-by-group-key",
        ),
        pytest.param(
            {"phone": "555-222-0001"}, [{"phone": "+1 (555) 222-0001"}], 0, id="phone-respelled"
        ),
        pytest.param(
            {"email": "max@example.com"}, [{"email": " MAX@Example.com"}], 0, id="email-respelled"
        ),
        pytest.param(
            {"phone": "5552220003"},
            [
                {"phone": "5552220003", "created": "2025-01-02"},
                {"phone": "555.222.0003", "created": "2025-01-01"},
                {"phone": "5552220003", "created": "2025-01-03"},
            ],
            1,
            id="the-oldest-by-phone",
        ),
        pytest.param(
            {"email": "a@example.com"},
            [
                {"email": "a@example.com", "created": "2025-01-02"},
                {"email": "A@EXAMPLE.COM", "created": "2025-01-01"},
            ],
            1,
            id="the-oldest-by-email",
        ),
        pytest.param(
            {"psid": "2001"},
            [
                {"metadata": '{"groupKey": "psid:2001"}', "created": "2025-01-02"},
                {"metadata": '{"groupKey": "psid:2001"}', "created": "2025-01-01"},
            ],
            1,
            id="the-oldest-by-group-key",
        ),
        pytest.param(
            {"psid": "2001", "phone": "5552220001"},
            [{"phone": "5552220001"}],
            None,
            id="psid-is-not-found-by-phone",
        ),
        pytest.param(
            {"email": "a@example.com", "phone": "5552220001"},
            [{"email": "a@example.com"}],
            None,
            id="phone-is-not-found-by-email",
        ),
        pytest.param({"phone": "555-0199"}, [{"phone": "555-0199"}], None, id="short-phone"),
        pytest.param({"email": "nobody"}, [{"email": "nobody"}], None, id="no-address"),
        pytest.param({"psid": "20"}, [{"metadata": '"psid:20"'}], None, id="odd-metadata"),
        pytest.param({}, [{}, {"metadata": "[]"}], None, id="nothing-finds-nothing"),
    ],
)
def test_a_customer_of_the_application_is_taken_and_not_touched(
    database, app, lead, customers, taken
):
    known = [add_customer(app, str(place), **each) for place, each in enumerate(customers)]
    before = rows(app, "Customer")
    added = add_lead(app, **lead)

    ran = database.apply(BATCH)

    assert set(before) <= set(rows(app, "Customer"))
    customer = customer_of(app, added)
    if taken is None:
        assert customer is not None
        assert customer not in known
        assert statistics(ran.run.text) == figures(created=1, linked=1)
    else:
        assert customer == known[taken]
        assert statistics(ran.run.text) == figures(reused=1, linked=1)


def test_linked_leads_keep_their_customer_and_their_group_counts_as_reused(database, app):
    stranger = add_customer(app, "someone else's number", phone="5550000000")
    lead = add_lead(app, phone="5551234567")
    link(app, lead, stranger)
    before = rows(app, "Lead"), rows(app, "Customer")

    ran = database.apply(BATCH)

    assert (rows(app, "Lead"), rows(app, "Customer")) == before
    assert statistics(ran.run.text) == figures(reused=1, already=1)
    assert app.run(AUDIT_ENTRIES) == []


def test_jobs_take_the_customer_of_their_lead(database, app):
    customer, other = add_customer(app, "Pia"), add_customer(app, "Quin")
    linked, new = add_lead(app, psid="1"), add_lead(app, psid="2")
    link(app, linked, customer)
    of_linked, of_new = add_job(app, linked), add_job(app, new)
    same, another = add_job(app, linked, customer), add_job(app, new, other)

    ran = database.apply(BATCH)

    found = dict(app.run('select id::text, customer_id::text from "Job"'))
    assert found == {
        of_linked: customer,
        of_new: customer_of(app, new),
        same: customer,
        another: other,
    }
    assert statistics(ran.run.text) == figures(
        created=1, reused=1, linked=1, already=1, jobs=2, jobs_already=2
    )


def test_no_updated_at_moves(database, app):
    add_customer(app, phone="5552220001")
    for identifiers in ({"phone": "5552220001"}, {"psid": "1"}, {}):
        add_job(app, add_lead(app, **identifiers))

    database.apply(BATCH)

    moved = app.value(
        """
        select count(*)
        from (
            select updated_at, customer_id from "Lead"
            union all
            select updated_at, customer_id from "Job"
            union all
            select updated_at, id from "Customer" where metadata = '{}'
        ) as u
        where u.updated_at <> '2025-02-01 00:00+00'
            or u.customer_id is null
        """
    )
    assert moved == 0


def test_the_seed_runs_as_the_seed_says_twice(database, app):
    for psid in ("1001", "1002", "1003"):
        lead = add_lead(app, channel="messenger", psid=psid)
    add_job(app, lead)

    first, second = database.apply(BATCH), database.apply(BATCH)

    assert statistics(first.run.text) == figures(created=3, linked=3, jobs=1)
    assert statistics(second.run.text) == figures(reused=3, already=3, jobs_already=1)
    for ran in (first, second):
        assert "📊 Found 3 total leads\n🔗 Grouped into 3 potential customers" in ran.run.text
        assert "- By PSID: 3" in ran.run.text
    assert len(app.run(AUDIT_ENTRIES)) == 1


def test_a_later_run_picks_up_what_is_new_and_nothing_else(database, app):
    first = add_lead(app, "Ana", psid="1001", phone="5551234567")
    individual = add_lead(app, "Kim")
    database.apply(BATCH)
    before = rows(app, "Customer")
    again = add_lead(app, "Ana again", psid="1001")
    new = add_lead(app, "Ben", phone="5559876543")
    add_job(app, first)

    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures(created=1, reused=2, linked=2, already=2, jobs=1)
    assert customer_of(app, again) == customer_of(app, first)
    after = rows(app, "Customer")
    assert set(before) < set(after)
    assert len(after) == len(before) + 1
    assert customer_of(app, new) not in (customer_of(app, first), customer_of(app, individual))
    entries = [payload["stats"]["customersCreated"] for _, _, payload in app.run(AUDIT_ENTRIES)]
    assert sorted(entries) == [1, 2]


def test_a_lead_that_the_application_unlinked_finds_its_own_customer_again(database, app):
    leads = [
        add_lead(app, **each)
        for each in (
            {"psid": "1001", "phone": "5551234567", "email": "a@example.com"},
            {"phone": "5551234567", "email": "a@example.com"},
            {"email": "a@example.com"},
            {},
        )
    ]
    database.apply(BATCH)
    before = rows(app, "Lead")
    app.run('update "Lead" set customer_id = null')

    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures(reused=4, linked=4)
    assert rows(app, "Lead") == before
    assert len({customer_of(app, lead) for lead in leads}) == len(leads)


def test_a_run_over_nothing_changes_nothing(database, app):
    ran = database.apply(BATCH)

    assert statistics(ran.run.text) == figures()
    assert app.run(AUDIT_ENTRIES) == []
