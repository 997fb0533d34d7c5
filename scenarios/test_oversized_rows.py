"""Does a backfill say which values no index can hold, before it changes anything?"""

import re

import pytest
from application import add_audit, add_customer, add_lead, link
from prompt import STRICT, Said, by_harness, by_psql

from batchgate.fixtures import AtBatch, Database

pytestmark = pytest.mark.backfill

SEARCH = "02_add_message_fts_index"
CUSTOMERS = "03_backfill_customers"
CONVERSATIONS = "04_backfill_conversations_messages"

# Hashes: what cannot be compressed. An index holds 2,704 bytes of them.
HASHES = "(select string_agg(md5(i::text), '' order by i) from generate_series(1, 100) as i)"
DIGITS = f"translate({HASHES}, 'abcdef', '012345')"
# A third of the megabyte that a search index holds, and yet too much for it.
ADDRESSES = """
    (select string_agg('h' || i || '.de/' || i, ' ') from generate_series(10000, 36000) as i)
"""
ASKS_AGAIN = "then run this again."


def refused(database: Database, batch: str) -> Said:
    """Expect a migration to change nothing and to name no value, by psql as through the harness."""
    before = database.state()
    said = by_psql(database, f"{batch}/migration.sql", *STRICT)
    assert (said.exit_code, by_harness(database, f"{batch}/migration.sql").steady) == (
        3,
        said.steady,
    )
    assert max(map(len, said.lines)) < 500
    assert ASKS_AGAIN in said.hint
    assert database.changes_since(before) == []
    return said


def listed(said: Said) -> list[str]:
    """Return the ids that an error's detail names."""
    return re.findall(r"^(?:DETAIL: )?(?:lead|audit entry) (\S+)$", "\n".join(said.lines), re.M)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("phone", DIGITS, id="phone"),
        pytest.param("email", f"{HASHES} || '@x'", id="email"),
    ],
)
@pytest.mark.parametrize("leads", [1, 12])
def test_a_phone_or_an_email_too_long_stops_batch_3(at_batch: AtBatch, column, value, leads):
    database = at_batch(SEARCH, sample=False)
    app = database.session("app")
    add_lead(app, "no one's way", phone="5551234567")
    added = [add_lead(app, psid=str(number)) for number in range(leads)]
    app.run(f'update "Lead" set {column} = {value} where "messengerPsid" is not null')

    said = refused(database, CUSTOMERS)

    counted = "1 lead has" if leads == 1 else f"{leads} leads have"
    assert said.error == (
        f"ERROR: Cannot backfill customers: {counted} a phone or an e-mail too long for an index"
    )
    assert len(listed(said)) == min(leads, 10)
    assert set(listed(said)) <= set(added)
    assert ("and 2 more" in said.lines) == (leads == 12)
    remedy = re.search(r"update .*?;", said.hint)
    assert remedy
    app.run(remedy[0])
    assert by_psql(database, f"{CUSTOMERS}/migration.sql", *STRICT).exit_code == 0


def test_what_is_long_and_fits_is_in_no_ones_way(at_batch: AtBatch):
    database = at_batch(SEARCH, sample=False)
    app = database.session("app")
    lead = add_lead(app, psid="p" * 5000, phone="5" * 5000, email="e" * 5000 + "@x")
    known = add_lead(app)
    link(app, known, add_customer(app))
    app.run(f"update \"Lead\" set email = {HASHES} || '@x', name = {HASHES} where id = %s", [known])
    add_audit(app, lead, {"text": "word " * 200_000})

    for batch in (CUSTOMERS, CONVERSATIONS):
        assert by_psql(database, f"{batch}/migration.sql", *STRICT).exit_code == 0

    found = app.run('select length(phone), length(email) from "Customer" where phone is not null')
    assert found == [(5000, 5002)]
    assert app.value('select length(external_id) from "Conversation"') == 5000


@pytest.mark.parametrize("leads", [1, 12])
def test_a_psid_too_long_stops_batch_4(at_batch: AtBatch, leads):
    database = at_batch(CUSTOMERS, sample=False)
    app = database.session("app")
    for number in range(leads):
        lead = add_lead(app, str(number))
        add_audit(app, lead, {"text": "hello"})
    app.run(f'update "Lead" set "messengerPsid" = name || {HASHES}')
    add_audit(app, add_lead(app, psid="short"), {"text": "hello"})

    said = refused(database, CONVERSATIONS)

    counted = "1 lead has" if leads == 1 else f"{leads} leads have"
    assert said.error == (
        f"ERROR: Cannot backfill conversations: {counted} a PSID or a phone too long for an index"
    )
    assert len(listed(said)) == min(leads, 10)
    assert ("and 2 more" in said.lines) == (leads == 12)
    remedy = re.search(r"update .*?;", said.hint)
    assert remedy
    app.run(remedy[0])
    assert by_psql(database, f"{CONVERSATIONS}/migration.sql", *STRICT).exit_code == 0


def test_a_text_too_long_for_the_search_stops_batch_4_while_batch_2_stands(at_batch: AtBatch):
    database = at_batch(CUSTOMERS, sample=False)
    app = database.session("app")
    audit = add_audit(app, add_lead(app), {"text": "hello"})
    app.run(f"""update "Audit" set payload = jsonb_build_object('text', {ADDRESSES})""")
    add_audit(app, add_lead(app), {"text": "hello"})

    said = refused(database, CONVERSATIONS)

    assert said.error == (
        "ERROR: Cannot backfill conversations: 1 audit entry has a text too long for an index"
    )
    assert listed(said) == [audit]
    assert f"sql/{SEARCH}/rollback.sql" in said.hint
    assert by_psql(database, f"{SEARCH}/rollback.sql", *STRICT).exit_code == 0
    assert by_psql(database, f"{CONVERSATIONS}/migration.sql", *STRICT).exit_code == 0
    assert app.value('select max(length(content)) > 300000 from "Message"')
