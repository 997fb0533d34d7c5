"""Do the backfills mean the same whatever the session, the schema and the database bring along?"""

import re

import pytest
from application import add_audit, add_customer, add_job, add_lead, add_message, link, statistics
from prompt import ROOT, STRICT, by_psql

from batchgate.fixtures import AtBatch, Database

pytestmark = pytest.mark.backfill

BELOW = "02_add_message_fts_index"
CUSTOMERS = "03_backfill_customers"
CONVERSATIONS = "04_backfill_conversations_messages"
BATCHES = (CUSTOMERS, CONVERSATIONS)
TABLES = ("Lead", "Job", "Audit", "Customer", "Conversation", "Message", "MemoryNote")
# All tables that the files make for themselves while they run.
OWN = {
    name
    for batch in BATCHES
    for file in (ROOT / "sql" / batch).glob("*.sql")
    for name in re.findall(r"^create temporary table (\w+)", file.read_text(), re.MULTILINE)
}
# The server takes these before its own, which have no such exact arguments.
CAPTURING = (
    "concat(text, text, text) returns text language sql return 'all the same'",
    "concat_ws(text, text, text, text) returns text language sql return 'all the same'",
    "concat_ws(text, name, text, text) returns text language sql return 'all the same'",
    "format(text, name, name) returns text language sql return 'false'",
    "format(text, regclass, regclass, regclass, text) returns text language sql return 'select 1'",
    "format(text, text) returns text language sql return 'all the same'",
    "format(text, bigint) returns text language sql return 'all the same'",
    "jsonb_build_object(text, text, text, uuid) returns jsonb language sql return jsonb '{}'",
    "jsonb_build_object(text, text) returns jsonb language sql return jsonb '{}'",
    "jsonb_build_object(text, text, text, text) returns jsonb language sql return jsonb '{}'",
    'to_jsonb("Conversation") returns jsonb language sql return jsonb \'{"closed_at": 1}\'',
    "btrim(text, varchar) returns text language sql return 'all the same'",
    "lower(varchar) returns text language sql return 'all@the.same'",
    "regexp_replace(text, varchar, varchar, varchar) returns text language sql return '5551234567'",
    "hashtextextended(text, integer) returns bigint language sql return 1 / 0",
)
AGGREGATES = (
    "array_agg(text) (sfunc = array_append, stype = text[], initcond = '{no one}')",
    "count(text) (sfunc = int8inc_any, stype = bigint, initcond = 40)",
    "count(uuid) (sfunc = int8inc_any, stype = bigint, initcond = 40)",
)


def with_rows(at_batch: AtBatch) -> Database:
    """Give a database on which something waits for either backfill, and some of it is awkward."""
    database = at_batch(BELOW, sample=False)
    app = database.session("app")
    link(app, add_lead(app, psid="0"), add_customer(app, "before"))
    for identifiers in (
        {"psid": "1", "name": "Ana"},
        {"psid": "\u00a01\u3000", "name": "Ann"},
        {"psid": "2", "name": "Ben", "phone": "(555) 123-0002"},
        {"phone": "+1 (555) 123-0003"},
        {"phone": "555.123.0004"},
        {"email": " A@Example.com\u2009"},
        {"email": "b@example.com"},
        {},
    ):
        lead = add_lead(app, **identifiers)
        add_job(app, lead)
        add_audit(app, lead, {"text": "\u2003", "message": "hello"})
        add_audit(app, lead, {})
    return database


def figures_of(database: Database, route: str, *options: str) -> list[dict[str, int] | list[str]]:
    """Run all files by psql, a message of the application in between, and return what they said."""
    files = [f"{batch}/{file}" for batch in BATCHES for file in (route, "validation.sql")]
    files += [f"{batch}/rollback.sql" for batch in reversed(BATCHES)]
    said: list[dict[str, int] | list[str]] = []
    for file in files:
        if file.endswith("04_backfill_conversations_messages/rollback.sql"):
            app = database.session("app")
            add_message(
                app,
                app.value("select id::text from \"Conversation\" where external_id = '2'"),
                "since",
            )
        ran = by_psql(database, file, *STRICT, *options)
        assert ran.exit_code == 0, ran.lines
        said.append(ran.lines)
    return said


def outcome(database: Database) -> list[tuple[object, ...]]:
    """Read what is left after the rollbacks."""
    return database.session("reader").run(
        """
        select
            (select string_agg(name, ', ' order by name) from "Customer"),
            (select count(*) from "Conversation"),
            (select count(*) from "Message"),
            (select count(*) from "Audit"),
            (select count(*) from "Lead" where customer_id is null),
            (select count(*) from "Job" where customer_id is null)
        """
    )


@pytest.fixture(params=["migration.sql", "migration.online.sql"], ids=["ordinary", "online"])
def route(request):
    """Give the file that applies a batch."""
    return request.param


@pytest.fixture
def plain(at_batch, route):
    """Give what the files say and leave where nothing is in their surroundings."""
    database = with_rows(at_batch)
    return figures_of(database, route), outcome(database)


def test_tables_of_the_session_are_not_taken_for_ours(at_batch, plain, route):
    database = with_rows(at_batch)
    temporary = [f'create temporary table "{name}" (like "{name}")' for name in TABLES]

    said = figures_of(database, route, "-q", *(word for each in temporary for word in ("-c", each)))

    assert (said, outcome(database)) == plain


def test_tables_of_the_application_are_not_taken_for_the_files_own(at_batch, plain, route):
    database = with_rows(at_batch)
    app = database.session("app")
    for name in OWN:
        app.run(f"create table {name} (id uuid)")

    assert (figures_of(database, route), outcome(database)) == plain


def test_functions_of_the_application_are_not_taken_for_the_servers(at_batch, plain, route):
    database = with_rows(at_batch)
    app = database.session("app")
    for function in CAPTURING:
        app.run(f"create function {function}")
    for aggregate in AGGREGATES:
        app.run(f"create aggregate {aggregate}")

    assert (figures_of(database, route), outcome(database)) == plain


def test_old_strings_are_read_the_same(at_batch, plain, route):
    database = with_rows(at_batch)
    database.session("app").run(
        f'alter database "{database.name}" set standard_conforming_strings = off'
    )

    assert (figures_of(database, route), outcome(database)) == plain


def test_old_strings_are_read_the_same_in_one_query(at_batch):
    database = with_rows(at_batch)
    prisma = database.session("prisma")
    prisma.connection.execute("set standard_conforming_strings = off")

    for batch in (CUSTOMERS, CONVERSATIONS):
        migration = database.harness.suite.batch(batch).migration
        assert migration
        prisma.connection.execute(migration.read_bytes())

    assert prisma.value('select count(*) from "Customer"') == 8
    assert prisma.value("select count(*) from \"Message\" where content = 'hello'") == 8


def test_triggers_of_the_application_find_its_tables(at_batch):
    database = with_rows(at_batch)
    app = database.session("app")
    app.run("create table seen (lead uuid)")
    app.run(
        """
        create function note_lead() returns trigger language plpgsql as $$
        begin
            insert into seen values (new.id);
            return new;
        end
        $$
        """
    )
    app.run('create trigger note before update on "Lead" for each row execute function note_lead()')

    ran = database.apply(CUSTOMERS)

    assert statistics(ran.run.text)["Leads linked"] == 8
    assert app.value("select count(*) from seen") == 8
    assert by_psql(database, f"{CUSTOMERS}/rollback.sql").exit_code == 0
    assert app.value("select count(*) from seen") == 16
