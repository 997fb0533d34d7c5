"""Whose customer does the backfill take, and what does it leave alone, however often it runs?"""

import re

import pytest
from application import (
    add_customer,
    add_job,
    add_lead,
    customer_of,
    link,
    log_of,
    rows,
    statistics,
)

pytestmark = pytest.mark.backfill

BELOW = "02_add_message_fts_index"
BATCH = "03_backfill_customers"


@pytest.fixture
def database(at_batch):
    return at_batch(BELOW, sample=False)


@pytest.fixture
def app(database, session):
    return session("app")


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

    ((actor, of, payload),) = log_of(app, "backfill_customers")
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
            [{"metadata": {"groupKey": "psid:2001"}}, {"phone": "5552220001"}],
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
                {"metadata": {"groupKey": "psid:2001"}, "created": "2025-01-02"},
                {"metadata": {"groupKey": "psid:2001"}, "created": "2025-01-01"},
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
        pytest.param({"psid": "20"}, [{"metadata": "psid:20"}], None, id="odd-metadata"),
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
    assert log_of(app, "backfill_customers") == []


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
    assert len(log_of(app, "backfill_customers")) == 1


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
    entries = [
        payload["stats"]["customersCreated"] for _, _, payload in log_of(app, "backfill_customers")
    ]
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
    assert log_of(app, "backfill_customers") == []
